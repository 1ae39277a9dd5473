"""What the annotation of a field allows, and the markers in it."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

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
