"""The generated parts of the documentation, each a function that returns Markdown.

The pages call them through cog: ``cog -r -I docs @docs/generated.txt`` renews them all.
"""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Iterator
from typing import Any

import click
from click.testing import CliRunner
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from llem.api.config import Experiment, Param
from llem.api.errors import LlemError
from llem.api.outcome import Outcome
from llem.cli import main as llem
from llem.registry import Registry

UNITS = {
    "_tokens_per_s": "tokens/s",
    "_bytes_per_token": "bytes/token",
    "j_per_output_token": "J/token",
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
}
"""The unit that a key's ending stands for, longest endings first."""


def commands() -> str:
    """Return the help of ``llem`` and of each of its commands."""
    root = click.Context(llem, info_name="llem", terminal_width=90)
    contexts = [root]
    for name in llem.list_commands(root):
        command = llem.get_command(root, name)
        assert command is not None
        contexts.append(click.Context(command, info_name=name, parent=root))
    return "\n".join(
        f"## `{context.command_path}`\n\n```text\n{context.get_help()}\n```\n"
        for context in contexts
    )


def capabilities() -> str:
    """Return the capability matrix, as ``llem capabilities --markdown`` prints it."""
    return CliRunner().invoke(llem, ["capabilities", "--markdown"], catch_exceptions=False).stdout


def exit_codes() -> str:
    """Return every error with its codes, in the order of the error tree."""
    rows = [
        f"| {error.exit_code} | `{error.code}` | {_summary(error)} |"
        for error in _subclasses(LlemError)
    ]
    return _table("Exit code", "Error code", "Meaning", rows=rows)


def _subclasses(error: type[LlemError]) -> Iterator[type[LlemError]]:
    for child in error.__subclasses__():
        yield child
        yield from _subclasses(child)


def experiment() -> str:
    """Return every field that all backends share."""
    return "\n".join(_describe(model) for model in _models(Experiment))


def backends() -> str:
    """Return every field of each backend's own section, and what the backend refuses."""
    parts = []
    for backend in sorted(Registry.discover().backends(), key=lambda backend: backend.name):
        model = backend.config_model()
        parts.append(f"## `{backend.name}`\n\n{_summary(model)}\n\n{_fields(model)}\n")
        parts += [_describe(nested) for nested in _models(model) if nested is not model]
        if model.rules:
            rules = [f"| `{rule.name}` | {rule.reason} {rule.remedy} |" for rule in model.rules]
            parts.append("Refused:\n\n" + _table("Rule", "Why, and the way out", rows=rules) + "\n")
    return "\n".join(parts)


def outcome() -> str:
    """Return every key of an outcome."""
    return "\n".join(_describe(model) for model in _models(Outcome))


def _describe(model: type[BaseModel]) -> str:
    return f"## {model.__name__}\n\n{_summary(model)}\n\n{_fields(model)}\n"


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return ``model`` and every model inside it, outer ones first, each once."""
    found = [model]
    for known in found:
        for field in known.model_fields.values():
            found += [m for m in dict.fromkeys(_inside(field.annotation)) if m not in found]
    return found


def _inside(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _inside(argument)


def _fields(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    properties = schema.get("properties", schema)
    if "$ref" in schema:  # a model that contains itself
        properties = schema["$defs"][model.__name__]["properties"]
    rows = []
    for name, field in model.model_fields.items():
        param = next(_params((field.annotation, *field.metadata)), Param())
        unit = param.unit or next((u for end, u in UNITS.items() if name.endswith(end)), "")
        default = (
            "required"
            if field.is_required()
            else f"`{json.dumps(to_jsonable_python(field.default))}`"
        )
        if isinstance(field.default, BaseModel):
            default = "as below"
        meaning = " ".join((field.description or "").split())
        if param.maps_to:
            targets = ", ".join(f"`{engine.call}.{engine.name}`" for engine in param.maps_to)
            meaning += f" Sets {targets}."
        if param.skipped_when:
            meaning += f" Skipped when {param.skipped_when}."
        if param.min_compute_capability:
            major, minor = param.min_compute_capability
            meaning += f" Needs compute capability {major}.{minor}."
        kind = _type(properties[name], schema.get("$defs", {}))
        rows.append(f"| `{name}` | {kind} | {unit} | {default} | {_cell(meaning)} |")
    return _table("Key", "Type", "Unit", "Default", "Meaning", rows=rows)


def _params(parts: tuple[Any, ...]) -> Iterator[Param]:
    """Yield the markers of a field, wherever its annotation carries them."""
    for part in parts:
        if isinstance(part, Param):
            yield part
        # ``Annotated`` keeps its markers apart from its argument.
        yield from _params((*typing.get_args(part), *getattr(part, "__metadata__", ())))


def _type(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Say in a few words what a JSON schema allows; ``null`` shows in the default column."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if "enum" in definitions.get(name, {}):
            return _type(definitions[name], definitions)
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        kinds = [_type(choice, definitions) for choice in choices if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), definitions)}"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"mapping to {_type(inner, definitions)}" if isinstance(inner, dict) else "mapping"
    bounds = [
        f"{sign} {schema[key]:,}"
        for key, sign in {
            "minimum": "≥",
            "exclusiveMinimum": ">",
            "maximum": "≤",
            "exclusiveMaximum": "<",
        }.items()
        if key in schema
    ]
    return " ".join([schema.get("type", "any"), ", ".join(bounds)]).strip()


def _summary(thing: type) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return _cell(inspect.getdoc(thing).partition("\n\n")[0])


def _table(*header: str, rows: list[str]) -> str:
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header), *rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("``", "`")
