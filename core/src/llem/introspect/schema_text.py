"""What a JSON schema allows, in a few words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_SIGNS = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "exclusiveMaximum": "<",
}
_NUMBERS = ("integer", "number")

Schema = Mapping[str, Any]


def kind(schema: Schema, definitions: Schema, section: Callable[[str], str] = str) -> str:
    """Say what ``schema`` allows besides ``null``, which is the default's to show.

    Args:
        schema: The schema of a value.
        definitions: What its references point to.
        section: Writes the name of a section of keys.
    """

    def inner(schema: Schema) -> str:
        return kind(schema, definitions, section)

    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        target = definitions.get(name, {})
        return inner(target) if "enum" in target else section(name)
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if present := _alternatives(schema):
        return " or ".join(dict.fromkeys(map(inner, present)))
    if schema.get("type") == "array":
        return f"list of {inner(schema.get('items', {}))}"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"mapping to {inner(values)}" if isinstance(values, dict) else "mapping"
    limits = ", ".join(f"{_SIGNS[key]} {_number(value)}" for key, value in bounds(schema).items())
    return f"{schema.get('type', 'any')} {limits}".strip()


def _number(value: float) -> str:
    return f"{int(value) if float(value).is_integer() else value:,}"


def bounds(schema: Schema) -> dict[str, float]:
    """Return the bounds of every number that ``schema`` allows, by JSON schema's names."""
    numbers = list(numeric(schema))
    return {key: one[key] for one in numbers for key in _SIGNS if key in one}


def numeric(schema: Schema) -> Iterator[Schema]:
    """Yield those alternatives of ``schema`` that are numbers, not counting listed ones."""
    for one in _alternatives(schema) or (schema,):
        if one.get("type") in _NUMBERS and not {"enum", "const"} & one.keys():
            yield one


def choices(schema: Schema, definitions: Schema) -> tuple[Any, ...]:
    """Return every value that ``schema`` lists, of all its alternatives."""
    if "$ref" in schema:
        return choices(definitions.get(schema["$ref"].rpartition("/")[2], {}), definitions)
    if "const" in schema:
        return (schema["const"],)
    if "enum" in schema:
        return tuple(schema["enum"])
    return tuple(value for one in _alternatives(schema) for value in choices(one, definitions))


def _alternatives(schema: Schema) -> tuple[Schema, ...]:
    """Return what a union allows besides ``null``; nothing for what is no union."""
    members = schema.get("anyOf") or schema.get("oneOf") or ()
    return tuple(one for one in members if one.get("type") != "null")


_ENDINGS = {
    "_tokens_per_s": "tokens/s",
    "_bytes_per_token": "bytes/token",
    "j_per_output_token": "J/token",
    "j_per_prefill_token": "J/token",
    "j_per_decode_token": "J/token",
    "j_per_request": "J/request",
    "requests_per_s": "requests/s",
    "flops_per_s": "FLOP/s",
    "flops": "FLOP",
    "_tokens": "tokens",
    "_bytes": "bytes",
    "_ratio": "ratio",
    "_s": "s",
    "_j": "J",
    "_w": "W",
    "_c": "°C",
}
"""The unit that a key's ending stands for, longest endings first."""


def unit_of(name: str) -> str:
    """Return the unit that ``name`` ends in, or nothing."""
    return next((unit for ending, unit in _ENDINGS.items() if name.endswith(ending)), "")
