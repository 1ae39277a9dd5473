"""From pydantic's idea of a place to the user's: a path of keys, and the model that has them.

Pydantic puts the label of the chosen member of a union between the keys of a location, as in
``("workload", "synthetic", "output_tokens", "fixed")``. Only the model's annotations tell
labels and keys apart, so the location is walked along them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, Tag

from llem.api.config.annotations import bare, is_model, members
from llem.config.strict_yaml import KeyPath


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an experiment.

    Attributes:
        path: The user's keys and list indices.
        owner: The model whose field the last key is, or would be; ``None`` inside free data.
        choices: The models that are allowed here, where there is a choice.
    """

    path: KeyPath
    owner: type[BaseModel] | None
    choices: tuple[type[BaseModel], ...] = ()

    @property
    def name(self) -> str:
        """The path, dotted."""
        return ".".join(map(str, self.path))


def place_of(model: type[BaseModel], location: KeyPath) -> Place:
    """Return the place that pydantic calls ``location`` below ``model``."""
    path: list[str | int] = []
    annotation: Any = model
    owner: type[BaseModel] | None = None
    for part in location:
        allowed = members(annotation)
        if len(allowed) > 1:
            annotation = next((one for one in allowed if _is_labelled(one, part)), Any)
            continue
        if part == "[key]":  # it is the key of a mapping that is wrong, and the key is there
            continue
        path.append(part)
        owner, annotation = _step(allowed[0] if allowed else Any, part)
    choices = tuple(one for one in map(bare, members(annotation)) if is_model(one))
    return Place(tuple(path), owner, choices if len(choices) > 1 else ())


@dataclass(frozen=True, slots=True)
class Discriminator:
    """The key by which models are told apart, and its value in each of them."""

    key: str
    values: tuple[str, ...]


def told_apart_by(models: tuple[type[BaseModel], ...]) -> Discriminator | None:
    """Return what tells ``models`` apart, or ``None`` if no key has one fixed text in each."""
    for name in models[0].model_fields if models else ():
        values = [text for model in models if (text := _constant(model, name)) is not None]
        if len(values) == len(models):
            return Discriminator(name, tuple(values))
    return None


def _constant(model: type[BaseModel], name: str) -> str | None:
    """Return the only text that the field may hold, or ``None`` if it may hold others."""
    field = model.model_fields.get(name)
    if field is None or get_origin(field.annotation) is not Literal:
        return None
    values = get_args(field.annotation)
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def _step(annotation: Any, part: str | int) -> tuple[type[BaseModel] | None, Any]:
    """Return the model that has the key ``part``, if any, and what is allowed below it."""
    kind = bare(annotation)
    if is_model(kind):
        field = kind.model_fields.get(str(part))
        return kind, field.annotation if field is not None else Any
    arguments = [one for one in get_args(kind) if one is not Ellipsis]
    return None, arguments[-1] if arguments else Any


def _is_labelled(member: Any, label: str | int) -> bool:
    """Whether pydantic calls this member of a union ``label``."""
    tags: list[str | None] = [
        one.tag for one in getattr(member, "__metadata__", ()) if isinstance(one, Tag)
    ]
    kind = bare(member)
    if is_model(kind):
        tags += [kind.__name__, *(_constant(kind, name) for name in kind.model_fields)]
    elif (origin := get_origin(kind)) is not None:
        return label in tags or str(label).startswith(getattr(origin, "__name__", "?"))
    return label in tags
