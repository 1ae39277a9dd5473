"""Turn pydantic's errors into findings that name file, line, path, value and the nearest name."""

from __future__ import annotations

import difflib
import types
from collections.abc import Collection, Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from llem.api.finding import Finding
from llem.config.redact import redact
from llem.config.source import KeyPath, Source

_MAX_SHOWN = 80


def findings_of(
    error: ValidationError, model: type[BaseModel], source: Source, backends: Collection[str]
) -> list[Finding]:
    """Return one finding for each thing ``error`` complains about.

    Args:
        error: What pydantic found.
        model: The model it validated against.
        source: Where the values came from.
        backends: Names of installed backends, whose sections are told apart from mistakes.
    """
    found: dict[tuple[KeyPath, str], Finding] = {}
    for detail in error.errors(include_url=False):
        path = user_path(detail["loc"], source.data)
        if detail["type"] == "extra_forbidden":
            message, remedy = _unknown_key(path, model, backends)
        else:
            message, remedy = _bad_value(path, detail["msg"], detail["input"], detail["type"]), ""
        finding = Finding(
            code=f"config-{detail['type'].replace('_', '-')}",
            message=message,
            path=".".join(map(str, path)),
            remedy=remedy,
            origin=source.origin(path),
        )
        found.setdefault((path, message), finding)
    return list(found.values())


def user_path(location: tuple[str | int, ...], data: Any) -> KeyPath:
    """Return ``location`` without the union tags that pydantic puts between keys.

    A tag is recognised by not being a key of the user's data while a later part is; a key
    that is missing altogether can only be the last part.
    """
    path: list[str | int] = []
    for at, part in enumerate(location):
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            is_missing_key = at == len(location) - 1 and isinstance(data, dict)
            if not is_missing_key:
                continue
        path.append(part)
    return tuple(path)


def _unknown_key(
    path: KeyPath, model: type[BaseModel], backends: Collection[str]
) -> tuple[str, str]:
    key = str(path[-1])
    if len(path) == 1 and key in backends:
        return (
            f"section {key!r} belongs to another backend",
            f"Set backend: {key}, or remove the section.",
        )
    known = sorted({name for one in _models_at(model, path[:-1]) for name in one.model_fields})
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return f"there is no key {key!r} here.", f"Did you mean {near[0]!r}?"
    return f"there is no key {key!r} here.", f"Known: {', '.join(known)}."


def _bad_value(path: KeyPath, message: str, value: Any, kind: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    if kind == "missing":
        return "this key is required"
    shown = repr(redact({str(path[-1]) if path else "": value}).popitem()[1])
    if len(shown) > _MAX_SHOWN:
        shown = f"{shown[:_MAX_SHOWN]}…"
    return f"{shown} {message}" if message.startswith("should") else f"{message} (got {shown})"


def _models_at(model: type[BaseModel], path: KeyPath) -> Iterator[type[BaseModel]]:
    """Yield every model that can stand at ``path`` below ``model``."""
    if not path:
        yield model
        return
    field = model.model_fields.get(str(path[0]))
    if field is not None:
        for below in _models_in(field.annotation):
            yield from _models_at(below, path[1:])


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models a field's annotation allows, through unions and ``Annotated``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType) or hasattr(annotation, "__metadata__"):
        for part in get_args(annotation):
            yield from _models_in(part)
