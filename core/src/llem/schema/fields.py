"""The fields of a config model, nested ones included, with what their markers say."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from llem.schema.base import Param

Marker = TypeVar("Marker")


def bare(annotation: Any) -> Any:
    """Return the annotation without its markers."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def members(annotation: Any) -> tuple[Any, ...]:
    """Return what a union allows besides ``None``, or the annotation itself."""
    stripped = bare(annotation)
    if get_origin(stripped) not in (Union, types.UnionType):
        return (annotation,)
    present = [one for one in get_args(stripped) if one is not types.NoneType]
    return tuple(member for one in present for member in members(one))


def is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    """Whether the annotation, without its markers, is a model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def markers(info: FieldInfo, kind: type[Marker]) -> Iterator[Marker]:
    """Yield the markers of one ``kind`` of a field, wherever its annotation carries them."""
    return _of_kind((*info.metadata, info.annotation), kind)


def _of_kind(parts: tuple[Any, ...], kind: type[Marker]) -> Iterator[Marker]:
    for part in parts:
        if isinstance(part, kind):
            yield part
        yield from _of_kind(get_args(part), kind)


@dataclass(frozen=True, slots=True)
class ConfigField:
    """One field.

    Attributes:
        path: Its dotted path, as an experiment spells it.
        owner: The model that has it.
        info: What pydantic knows about it.
        param: What its author says besides.
    """

    path: str
    owner: type[BaseModel]
    info: FieldInfo
    param: Param

    @property
    def is_section(self) -> bool:
        """Whether it holds fields of its own and never a plain value."""
        return all(map(is_model, map(bare, members(self.info.annotation))))

    def is_set(self, value: Any) -> bool:
        """Whether ``value`` is one that somebody chose."""
        return value is not None and value != self.info.default


def walk(
    model: type[BaseModel], prefix: str = "", above: tuple[type[BaseModel], ...] = ()
) -> Iterator[ConfigField]:
    """Yield every field of ``model``, each before those inside it.

    Where several models are allowed at one place, the fields of all of them are yielded, so a
    path may come more than once, with another ``owner``.

    Args:
        model: Where to start.
        prefix: Path of ``model``, with a final dot.
        above: Models around it; one that contains itself is not entered again.
    """
    for name, info in model.model_fields.items():
        param = next(markers(info, Param), Param())
        yield ConfigField(f"{prefix}{name}", model, info, param)
        for inner in map(bare, members(info.annotation)):
            if is_model(inner) and inner not in (*above, model):
                yield from walk(inner, f"{prefix}{name}.", (*above, model))


def value_at(config: BaseModel, path: str) -> Any:
    """Return the value at a dotted ``path``; ``None`` where a section on the way has no such key.

    A section may be unset, or be of a kind that has other fields.
    """
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name, None)
    return value
