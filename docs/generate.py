"""The generated parts of the documentation, each a function that returns Markdown.

The pages call them through cog: ``cog -r -I docs @docs/generated.txt`` renews them all.
"""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from itertools import groupby
from typing import Any

import click
from click.testing import CliRunner
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from llem.cli import main as llem
from llem.errors import LlemError
from llem.introspect.config_parameters import Parameter, parameter_table, section_parameters
from llem.introspect.config_parameters import shared_parameters as parameters_of_all
from llem.introspect.constraints import rule_table, validation_rules
from llem.introspect.engine_audit import Classification, audit_report, audit_summary, audit_table
from llem.introspect.json_schema import kind, unit_of
from llem.registry import Registry
from llem.run.worker_environment import read_engine
from llem.schema.base import Param
from llem.schema.decoder import PRESETS
from llem.schema.experiment import Experiment
from llem.schema.fields import markers
from llem.schema.outcome import CommandOutcome, Outcome
from llem.schema.reason_codes import CATALOG, ReasonCode
from llem.study.study_file import StudySettings
from llem.tables import render_markdown
from llem.testing import CHECKS
from llem.testing.conformance import catalog_table


def commands() -> str:
    """Return the help of ``llem`` and of each of its commands."""
    root = click.Context(llem, info_name="llem", terminal_width=90)
    contexts = [root]
    for context in contexts:
        if isinstance(context.command, click.Group):
            contexts += _below(context, context.command)
    return "\n".join(
        f"## `{context.command_path}`\n\n```text\n{context.get_help()}\n```\n"
        for context in contexts
    )


def _below(context: click.Context, group: click.Group) -> Iterator[click.Context]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield click.Context(command, info_name=name, parent=context)


def conformance() -> str:
    """Return every check of the conformance kit, by family."""
    parts = []
    for family, group in groupby(CHECKS, key=lambda check: check.family):
        checks = tuple(group)
        about = inspect.getdoc(import_module(checks[0].find.__module__))
        table = render_markdown(catalog_table(checks))
        parts.append(f"## {family}\n\n{about}\n\n{table}\n")
    return "\n".join(parts)


def capabilities() -> str:
    """Return the capability matrix, as ``llem capabilities --markdown`` prints it."""
    return CliRunner().invoke(llem, ["capabilities", "--markdown"], catch_exceptions=False).stdout


def import_formats() -> str:
    """Return what ``llem results import`` reads, as ``--list --markdown`` prints it."""
    arguments = ["results", "import", "--list", "--markdown"]
    return CliRunner().invoke(llem, arguments, catch_exceptions=False).stdout


def exit_codes() -> str:
    """Return every error with its codes under a heading of its own, in the order of the tree."""
    return "\n".join(
        f"### `{error.code}`\n\nExit code {error.exit_code}. {_summary(error)}\n"
        for error in _subclasses(LlemError)
    )


def _subclasses(error: type[LlemError]) -> Iterator[type[LlemError]]:
    for child in error.__subclasses__():
        yield child
        yield from _subclasses(child)


def verdict(subject: str) -> str:
    """Return the reason codes about ``subject``, each under a heading of its own."""
    return "\n".join(_reason(entry) for entry in CATALOG if entry.subject == subject)


def _reason(entry: ReasonCode) -> str:
    facts = [
        f"- **Effect:** {'not valid' if entry.invalidates else 'a warning'}"
        f"{', unless `measurement.thresholds.allow` names it' if entry.is_allowable else ''}",
        f"- **Threshold:** `{entry.threshold}`" if entry.threshold else "",
        f"- **What to do:** {entry.hint}",
    ]
    listed = "\n".join(filter(None, facts))
    return f"### `{entry.code}`\n\n{entry.meaning}\n\n{listed}\n"


def experiment() -> str:
    """Return every field that all backends share."""
    return "\n".join(_describe(model) for model in _models(Experiment))


def audits() -> str:
    """Return the parameters that no field exposes, of every engine with reference data."""
    parts = []
    for backend in Registry.discover().backends():
        audit = backend.parameter_audit()
        if audit is None or not audit.reference:
            continue
        reading = read_engine(backend, audit, reference=True)
        report = audit_report(backend, audit, reading.found, reading.engine, from_reference=True)
        kept = tuple(
            parameter
            for parameter in report.parameters
            if parameter.classification is not Classification.EXPOSED
        )
        table = audit_table(replace(report, parameters=kept), faults_only=False)
        _, counted, *_ = audit_summary(report).splitlines()
        parts.append(f"## {backend.name}\n\n{counted}.\n\n{render_markdown(table)}\n")
    return "\n".join(parts)


def presets() -> str:
    """Return what each decoder preset fills in."""
    rows = []
    for name, filled in PRESETS.items():
        values = (f"`{key}: {json.dumps(value)}`" for key, value in filled.items())
        rows.append(f"| `{name}` | {', '.join(values)} |")
    return _table("Preset", "Fills in", rows=rows)


def backends() -> str:
    """Return every parameter of each backend's own section, and what the backend refuses."""
    registry = Registry.discover()
    parts = []
    for backend in registry.backends():
        table = parameter_table(
            [_ticked(section_parameter) for section_parameter in section_parameters(backend)]
        )
        summary = _summary(backend.config_model())
        parts.append(f"## {backend.name}\n\n{summary}\n\n{render_markdown(table)}\n")
        if rules := validation_rules(registry, backend.name)[backend.name]:
            table = rule_table({backend.name: rules})
            parts.append(f"### Refused by {backend.name}\n\n{render_markdown(table)}\n")
    return "\n".join(parts)


def shared_rules() -> str:
    """Return what core refuses, whatever the backend."""
    rules = validation_rules(Registry.discover())[None]
    return render_markdown(rule_table({None: rules}))


def shared_parameters() -> str:
    """Return the engine arguments that each shared parameter sets, for the backends that tell."""
    backends = [backend for backend in Registry.discover().backends() if backend.parameter_audit()]
    names = [backend.name for backend in backends]
    if not names:
        return "No backend tells yet."
    rows = []
    for parameter in parameters_of_all(backends):
        if parameter.maps_to:
            targets = (_targets(parameter.maps_to.get(name, ())) for name in names)
            rows.append(f"| `{parameter.path}` | {' | '.join(targets)} |")
    return _table("Parameter", *names, rows=rows)


def _targets(arguments: tuple[str, ...]) -> str:
    return ", ".join(f"`{argument}`" for argument in arguments)


def _ticked(parameter: Parameter) -> Parameter:
    """Set what is code in code."""
    targets = {
        name: tuple(f"`{argument}`" for argument in arguments)
        for name, arguments in parameter.maps_to.items()
    }
    return replace(parameter, path=f"`{parameter.path}`", maps_to=targets)


def study() -> str:
    """Return every key of the section `study`."""
    return "\n".join(_describe(model) for model in _models(StudySettings))


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
