"""JSON schemas of experiments and outcomes, and what a schema allows, in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, create_model

from llem.config import experiment_model
from llem.errors import BackendUnavailable
from llem.registry import Backend, Registry
from llem.schema.experiment import Experiment

_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def schema(registry: Registry, backend: str | None = None) -> dict[str, Any]:
    """Return the JSON schema of an experiment on ``backend``, or of a union over all backends.

    Raises:
        BackendUnavailable: That backend cannot be used, or none is installed.
    """
    if backend is not None:
        return _DIALECT | _tagged(registry.backend(backend)).model_json_schema()
    models = registry.ask_all(_tagged)
    if not models:
        raise BackendUnavailable("no backend is installed", hint="Install a backend plugin.")
    if len(models) == 1:
        return _DIALECT | models[0].model_json_schema()
    union: Any = Annotated[reduce(or_, models), Field(discriminator="backend")]
    return _DIALECT | TypeAdapter(union).json_schema()


def outcome_schema() -> dict[str, Any]:
    """Return the JSON schema of the outcome document."""
    # Imported here, because nothing else in this module needs it.
    from llem.schema.outcome import Outcome

    return _DIALECT | Outcome.model_json_schema()


def _tagged(backend: Backend) -> type[Experiment]:
    """Return the experiment model of ``backend``, which accepts no other backend's name."""
    fields: dict[str, Any] = {
        "backend": (
            Literal[backend.name],
            Field(description=Experiment.model_fields["backend"].description),
        )
    }
    return create_model(
        f"Experiment_{backend.name}",
        __base__=experiment_model(backend),
        __doc__=f"One experiment on the backend {backend.name}: {backend.info.summary}.",
        **fields,
    )


_SIGNS = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "exclusiveMaximum": "<",
}
_NUMBERS = ("integer", "number")

Schema = Mapping[str, Any]


def kind(schema: Schema, definitions: Schema, section: Callable[[str], str] = str) -> str:
    """Return the type that ``schema`` allows besides ``null``, in words.

    Args:
        schema: The schema of a value.
        definitions: The schemas that its references point to.
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
    return {key: number[key] for number in numeric(schema) for key in _SIGNS if key in number}


def numeric(schema: Schema) -> Iterator[Schema]:
    """Yield the alternatives of ``schema`` that are numbers without an enumeration."""
    for member in _alternatives(schema) or (schema,):
        if member.get("type") in _NUMBERS and not {"enum", "const"} & member.keys():
            yield member


def choices(schema: Schema, definitions: Schema) -> tuple[Any, ...]:
    """Return every value that ``schema`` lists, of all its alternatives."""
    if "$ref" in schema:
        return choices(definitions.get(schema["$ref"].rpartition("/")[2], {}), definitions)
    if "const" in schema:
        return (schema["const"],)
    if "enum" in schema:
        return tuple(schema["enum"])
    return tuple(
        value for member in _alternatives(schema) for value in choices(member, definitions)
    )


def _alternatives(schema: Schema) -> tuple[Schema, ...]:
    """Return the members of a union besides ``null``; nothing for any other schema."""
    members = schema.get("anyOf") or schema.get("oneOf") or ()
    return tuple(member for member in members if member.get("type") != "null")


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
