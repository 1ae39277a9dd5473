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

from llem.api.command import CommandOutcome
from llem.api.config import Experiment, Param
from llem.api.config.annotations import markers
from llem.api.errors import LlemError
from llem.api.outcome import Outcome
from llem.cli import main as llem
from llem.introspect.kinds import kind
from llem.introspect.units import unit_of
from llem.registry import Registry


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


def command_outcome() -> str:
    """Return every key of the document of ``llem meter``."""
    return "\n".join(_describe(model) for model in _models(CommandOutcome))


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
        param = next(markers(field, Param), Param())
        unit = param.unit or unit_of(name)
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
        shown = kind(properties[name], schema.get("$defs", {}), _link)
        rows.append(f"| `{name}` | {shown} | {unit} | {default} | {_cell(meaning)} |")
    return _table("Key", "Type", "Unit", "Default", "Meaning", rows=rows)


def _link(model: str) -> str:
    return f"[{model}](#{model.lower()})"


def _summary(thing: type) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return _cell(inspect.getdoc(thing).partition("\n\n")[0])


def _table(*header: str, rows: list[str]) -> str:
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header), *rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("``", "`")
