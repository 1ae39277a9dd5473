"""An experiment that notes what of it is read."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from llem.schema.fields import bare, is_model

Path = tuple[str, ...]
"""A section, or a field of one."""


class Watched:
    """An experiment, or a section of it, with the same attributes, that notes which are read.

    Args:
        part: The experiment.
        reads: Receives what is read: a field of a section, or a section as a whole.
    """

    def __init__(self, part: BaseModel, reads: set[Path], path: Path = ()) -> None:
        self._part = part
        self._reads = reads
        self._path = path

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._part)

    def __getattr__(self, name: str) -> Any:
        values, path = self._part.__dict__, (*self._path, name)
        if name in values:
            if not self._path and _has_one_kind(type(self._part), name):
                return Watched(values[name], self._reads, path)
            self._reads.add(path)
            return values[name]
        attribute = getattr(type(self._part), name, None)
        if isinstance(attribute, property) and attribute.fget is not None:
            return attribute.fget(self)
        # Whatever else it is may look at all of it.
        self._note_all()
        return getattr(self._part, name)

    def __eq__(self, other: object) -> bool:
        self._note_all()
        return self._part == other

    def __hash__(self) -> int:
        self._note_all()
        return hash(self._part)

    def _note_all(self) -> None:
        self._reads.update([self._path] if self._path else [(name,) for name in vars(self._part)])


@cache
def _has_one_kind(model: type[BaseModel], name: str) -> bool:
    """Whether the section is always there and always of the same model."""
    return is_model(bare(model.model_fields[name].annotation))
