"""Turn pydantic's errors into findings that name file, line, path, value and a hint."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from llem.config.redact import redact
from llem.config.source import Source
from llem.config.strict_yaml import KeyPath
from llem.errors import Finding
from llem.schema.fields import bare, is_model, members, walk

_MAX_LENGTH = 60
_FREE_DATA = (("runner", "env"), ("passthrough_kwargs",))


def format_value(value: Any, path: KeyPath) -> str:
    """Return the value at ``path`` as JSON, shortened, with secrets and contents left out."""
    if isinstance(value, dict):
        return "a section of keys" if value else "an empty section"
    if isinstance(value, BaseModel):
        given = [key for key, inside in value if inside is not None]
        return f"a section with {', '.join(given)}" if given else "an empty section"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    name = str(path[-1])
    text = json.dumps(redact({name: value})[name], ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"


def is_free_data(path: KeyPath) -> bool:
    """Whether ``path`` lies in free data, which may hold credentials."""
    return any(path[: len(free)] == free for free in _FREE_DATA)


@dataclass(frozen=True, slots=True)
class ErrorLocation:
    """Where in an experiment an error is.

    Attributes:
        path: The user's keys and list indices.
        owner: The model whose field the last key is, or would be; ``None`` inside free data.
        choices: The models that are allowed here, where there is a choice.
    """

    path: KeyPath
    owner: type[BaseModel] | None
    choices: tuple[type[BaseModel], ...] = ()


def location_of(model: type[BaseModel], location: KeyPath) -> ErrorLocation:
    """Translate pydantic's ``location`` below ``model`` into the user's keys."""
    path: list[str | int] = []
    annotation: Any = model
    owner: type[BaseModel] | None = None
    for part in location:
        allowed = members(annotation)
        if len(allowed) > 1:
            annotation = next((member for member in allowed if _is_labeled(member, part)), Any)
            continue
        if part == "[key]":  # it is the key of a mapping that is wrong, and the key is there
            continue
        path.append(part)
        owner, annotation = _step(allowed[0] if allowed else Any, part)
    choices = tuple(kind for kind in map(bare, members(annotation)) if is_model(kind))
    return ErrorLocation(tuple(path), owner, choices if len(choices) > 1 else ())


@dataclass(frozen=True, slots=True)
class Discriminator:
    """The key by which models are told apart, and its value in each of them."""

    key: str
    values: tuple[str, ...]


def discriminator_of(models: tuple[type[BaseModel], ...]) -> Discriminator | None:
    """Return the key with a fixed text in each of ``models``, or ``None`` if there is none."""
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
    arguments = [argument for argument in get_args(kind) if argument is not Ellipsis]
    return None, arguments[-1] if arguments else Any


def _is_labeled(member: Any, label: str | int) -> bool:
    """Whether pydantic calls this member of a union ``label``."""
    tags: list[str | None] = [
        marker.tag for marker in getattr(member, "__metadata__", ()) if isinstance(marker, Tag)
    ]
    kind = bare(member)
    if is_model(kind):
        tags += [kind.__name__, *(_constant(kind, name) for name in kind.model_fields)]
    elif (origin := get_origin(kind)) is not None:
        return label in tags or str(label).startswith(getattr(origin, "__name__", "?"))
    return label in tags


_KINDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "a section of keys",
    "model": "a section of keys",
    "model_attributes": "a section of keys",
}
"""What a value must be, by the first part of pydantic's ``<kind>_type``."""


def findings_of(
    error: ValidationError,
    model: type[BaseModel],
    source: Source,
    other_backends: Callable[[], Collection[str]] = tuple,
) -> list[Finding]:
    """Return one finding for each place that ``error`` complains about, in the user's order.

    Args:
        error: What pydantic found.
        model: The model it validated against.
        source: Where the values came from.
        other_backends: Returns the names of other backends, whose sections get a hint of their
            own; called only for an unknown key at the top level.
    """
    by_path: dict[KeyPath, tuple[ErrorLocation, list[Mapping[str, Any]]]] = {}
    for detail in error.errors(include_url=False):
        place = location_of(model, detail["loc"])
        by_path.setdefault(place.path, (place, []))[1].append(dict(detail))
    # pydantic reports a value that no member of a union allows at the union and inside the best
    # member; the inner report says more.
    outer = {path[:length] for path in by_path for length in range(len(path))}
    order = {path: at for at, path in enumerate(source.origins)}
    inner = [path for path in by_path if path not in outer]
    inner.sort(key=lambda path: order.get(source.nearest(path), -1))
    return [_finding(*by_path[path], model, source, other_backends) for path in inner]


def _finding(
    place: ErrorLocation,
    details: list[Mapping[str, Any]],
    model: type[BaseModel],
    source: Source,
    other_backends: Callable[[], Collection[str]],
) -> Finding:
    kind = str(details[0]["type"])
    path = place.path
    code, hint = "wrong-value", ""
    if kind == "extra_forbidden":
        code, message = "unknown-key", "there is no such key"
        hint = _right_key(place, model, other_backends)
    elif kind == "missing":
        code, message = "missing-key", "this key is required"
    elif kind == "json_invalid":
        message = "a text in it is not valid Unicode"
    elif _has_no_kind(details[0]) and (apart := discriminator_of(place.choices)):
        path, value = (*path, apart.key), details[0]["input"]
        message = f"must be {_one_of(apart.values)}"
        if apart.key in value:
            message += _but_is(value[apart.key], path)
            hint = _nearest(value[apart.key], apart.values)
    else:
        message, hint = _wrong_value(details, path)
    return Finding(
        code=code,
        message=message,
        path=".".join(map(str, path)),
        hint=hint,
        origin=source.origin(path),
    )


def _has_no_kind(detail: Mapping[str, Any]) -> bool:
    """Whether a section's discriminator is missing or wrong."""
    return detail["type"].startswith("union_tag") and isinstance(detail["input"], dict)


_OF_LENGTH = ("too_short", "too_long")


def _wrong_value(details: list[Mapping[str, Any]], path: KeyPath) -> tuple[str, str]:
    """Return message and hint for a value that no allowed type accepts."""
    value = details[0]["input"]
    demands = [_demand(detail) for detail in details]
    wanted = [text.removeprefix("must be ") for text in demands if text.startswith("must be ")]
    message = f"must be {' or '.join(wanted)}" if len(wanted) == len(demands) else demands[0]
    # A rule between the keys of a section names them by itself, and a length is in the demand.
    of_keys = details[0]["type"] == "value_error" and isinstance(value, dict)
    if not (of_keys or (message == demands[0] and details[0]["type"] in _OF_LENGTH)):
        message += _but_is(value, path)
    hints = {detail["type"]: _hint(detail, value) for detail in details}
    return message, next(filter(None, hints.values()), "")


def _demand(detail: Mapping[str, Any]) -> str:
    """Say what is allowed: "must be …", or pydantic's own sentence."""
    kind, end, _ = detail["type"].partition("_type")
    if end and kind in _KINDS:
        return f"must be {_KINDS[kind]}"
    if detail["type"] == "literal_error":
        allowed = str(detail["ctx"]["expected"]).replace("'", "")
        return f"must be {allowed}"
    if detail["type"] == "union_tag_not_found":
        return f"must be {_KINDS['dict']}"
    message = str(detail["msg"]).removeprefix("Value error, ").replace(" after validation", "")
    return re.sub(r"^(Input|String|Tuple|List|Dictionary) should ", "must ", message)


def _hint(detail: Mapping[str, Any], value: Any) -> str:
    if detail["type"] in {"string_type", "literal_error"} and isinstance(value, bool):
        return "Unquoted yes, no, on and off mean true and false: put quotes around a text."
    if detail["type"] == "string_type" and isinstance(value, int | float):
        return "Put quotes around it to make it a text."
    if detail["type"] == "literal_error":
        return _nearest(value, re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
    return ""


def _right_key(
    place: ErrorLocation, model: type[BaseModel], other_backends: Callable[[], Collection[str]]
) -> str:
    """Return a hint for an unknown key: a similar key, its right section, or the known keys."""
    key = str(place.path[-1])
    if place.owner is None:
        return ""
    if became := getattr(place.owner, "removed", {}).get(key):
        return f"This key was removed: {became}."
    if len(place.path) == 1 and key in other_backends():
        return f"It is the section of another backend: choose backend {key}, or remove it."
    wanted = ".".join(map(str, place.path))
    alike: list[str] = []
    for field in walk(model):
        path, owner = field.path, field.owner
        if path == key and len(place.path) > 1:
            continue  # a key of the top level says nothing about one inside a section
        if path.startswith(f"{place.path[0]}.") and path.endswith(f"_{key}"):
            alike.append(path)
        if path == key:
            return (
                f"Write it in its section: {': {'.join(key.split('.'))}: …{'}' * key.count('.')}."
            )
        if not path.endswith(f".{key}"):
            continue
        if path != wanted:
            alike.append(path)
            continue
        if apart := discriminator_of((owner, place.owner)):
            return f"It goes with {path.removesuffix(key)}{apart.key}: {apart.values[0]}."
    if alike:
        return f"Did you mean {difflib.get_close_matches(wanted, alike, n=1, cutoff=0)[0]}?"
    known = place.owner.model_fields
    return _nearest(key, known) or f"Known here: {', '.join(known)}."


def _nearest(given: Any, known: Collection[str]) -> str:
    near = difflib.get_close_matches(str(given), known, n=1)
    return f"Did you mean {near[0]}?" if near else ""


def _one_of(values: Collection[str]) -> str:
    *first, last = values
    return f"{', '.join(first)} or {last}" if first else last


def _but_is(value: Any, path: KeyPath) -> str:
    if is_free_data(path):
        return " (its value is not shown: it may be a secret)"
    return f", not {format_value(value, path)}"
