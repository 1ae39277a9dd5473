"""Turn pydantic's errors into findings that name file, line, path, value and the way out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from llem.api.config import BackendConfig
from llem.api.config.fields import walk
from llem.api.finding import Finding
from llem.config.location import Place, place_of, told_apart_by
from llem.config.shown import is_free_data, shown
from llem.config.source import Source
from llem.config.strict_yaml import KeyPath

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
        other_backends: Names of further backends, whose sections are told apart from
            mistakes; called only when there is an unknown key at the top.
    """
    by_path: dict[KeyPath, tuple[Place, list[Mapping[str, Any]]]] = {}
    for detail in error.errors(include_url=False):
        place = place_of(model, detail["loc"])
        by_path.setdefault(place.path, (place, []))[1].append(dict(detail))
    # What no member of a union allows is reported at the union and inside the member that fits
    # best; the inner report says more.
    outer = {path[:length] for path in by_path for length in range(len(path))}
    order = {path: at for at, path in enumerate(source.origins)}
    inner = [path for path in by_path if path not in outer]
    inner.sort(key=lambda path: order.get(source.nearest(path), -1))
    return [_finding(*by_path[path], model, source, other_backends) for path in inner]


def _finding(
    place: Place,
    details: list[Mapping[str, Any]],
    model: type[BaseModel],
    source: Source,
    other_backends: Callable[[], Collection[str]],
) -> Finding:
    kind = str(details[0]["type"])
    path = place.path
    code, remedy = "wrong-value", ""
    if kind == "extra_forbidden":
        code, message = "unknown-key", "there is no such key"
        remedy = _right_key(place, model, other_backends)
    elif kind == "missing":
        code, message = "missing-key", "this key is required"
    elif kind == "json_invalid":
        message = "a text in it is not valid Unicode"
    elif _is_of_no_kind(details[0]) and (apart := told_apart_by(place.choices)):
        path, value = (*path, apart.key), details[0]["input"]
        message = f"must be {_one_of(apart.values)}"
        if apart.key in value:
            message += _but_is(value[apart.key], path)
            remedy = _nearest(value[apart.key], apart.values)
    else:
        message, remedy = _wrong_value(details, path)
    return Finding(
        code=code,
        message=message,
        path=".".join(map(str, path)),
        remedy=remedy,
        origin=source.origin(path),
    )


def _is_of_no_kind(detail: Mapping[str, Any]) -> bool:
    """Whether a section lacks the key that tells its kind, or has a wrong one there."""
    return detail["type"].startswith("union_tag") and isinstance(detail["input"], dict)


def _wrong_value(details: list[Mapping[str, Any]], path: KeyPath) -> tuple[str, str]:
    """Return message and remedy for a value that is none of what is allowed."""
    value = details[0]["input"]
    demands = [_demand(detail) for detail in details]
    wanted = [text.removeprefix("must be ") for text in demands if text.startswith("must be ")]
    message = f"must be {' or '.join(wanted)}" if len(wanted) == len(demands) else demands[0]
    # A rule between the keys of a section names them by itself.
    if details[0]["type"] != "value_error" or not isinstance(value, dict):
        message += _but_is(value, path)
    remedies = {detail["type"]: _remedy(detail, value) for detail in details}
    return message, next(filter(None, remedies.values()), "")


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
    message = str(detail["msg"]).removeprefix("Value error, ")
    return re.sub(r"^(Input|String|Tuple|List|Dictionary) should ", "must ", message)


def _remedy(detail: Mapping[str, Any], value: Any) -> str:
    if detail["type"] in {"string_type", "literal_error"} and isinstance(value, bool):
        return "Unquoted yes, no, on and off mean true and false: put quotes around a text."
    if detail["type"] == "string_type" and isinstance(value, int | float):
        return "Put quotes around it to make it a text."
    if detail["type"] == "literal_error":
        return _nearest(value, re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
    return ""


def _right_key(
    place: Place, model: type[BaseModel], other_backends: Callable[[], Collection[str]]
) -> str:
    """Say which key was meant: one nearby, one elsewhere, or any of those that exist."""
    key = str(place.path[-1])
    if place.owner is None:
        return ""
    if issubclass(place.owner, BackendConfig) and key in place.owner.removed:
        return f"It is gone: {place.owner.removed[key]}."
    if len(place.path) == 1 and key in other_backends():
        return f"It is the section of another backend: choose backend {key}, or remove it."
    for field in walk(model):
        path, owner = field.path, field.owner
        if path == key:
            return (
                f"Write it in its section: {': {'.join(key.split('.'))}: …{'}' * key.count('.')}."
            )
        if not path.endswith(f".{key}"):
            continue
        if path != place.name:
            return f"Did you mean {path}?"
        if apart := told_apart_by((owner, place.owner)):
            return f"It goes with {path.removesuffix(key)}{apart.key}: {apart.values[0]}."
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
    return f", not {shown(value, path)}"
