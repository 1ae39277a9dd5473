"""The values that an engine documents as off or default, and what becomes of them in a plan."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llem.api.parameter_audit import FoundParameter
from llem.config.rule_checks import rule_errors
from llem.errors import Finding, LlemError
from llem.schema.call_plan import import_dotted
from llem.schema.decoder import DecoderConfig
from llem.schema.fields import ConfigField, walk
from llem.testing.field_effects import candidates, leaves
from llem.testing.plugin_under_test import PluginUnderTest

EMPTY = {"list": [], "set": [], "dict": {}}
"""Defaults that a signature hides behind a factory, by the type of the parameter."""

DECODER = [
    ("decoder.do_sample", False),
    *(
        (field.path, list(value) if isinstance(value, tuple) else value)
        for field in walk(DecoderConfig, "decoder.")
        for value in field.param.neutral
    ),
]
"""Neutral values of the decoding that all backends share."""


def documented_defaults(plugin: str) -> list[tuple[str, Any]]:
    """Return path and default of each field that sets a parameter with a literal default.

    Args:
        plugin: The backend's name; its reference data tell the defaults.
    """
    subject = PluginUnderTest(plugin)
    found = import_dotted(subject.audit.reference or subject.audit.introspect)()
    defaults = {
        (field.path, repr(value)): value
        for field in subject.fields
        for place in field.places
        for surface in subject.audit.surfaces
        if place.place in surface.at and _name(place.of) in ("", _name(surface.name))
        for parameter in found.get(surface.name, ())
        if parameter.name == place.parameter
        for value in _default(parameter)
    }
    return [(path, value) for (path, _), value in defaults.items()]


def _name(of: str) -> str:
    return of.rpartition(".")[2]


def neutral_values(plugin: str) -> list[tuple[str, Any]]:
    """Return path and value of each value that a field's marker calls neutral."""
    subject = PluginUnderTest(plugin)
    return [(field.path, value) for field in subject.fields for value in field.param.neutral]


def _default(parameter: FoundParameter) -> Iterator[Any]:
    """Yield the default of ``parameter``; nothing for none, and for an object of the engine."""
    kind = parameter.annotation_text.partition("[")[0]
    if parameter.default_repr == "_HAS_DEFAULT_FACTORY_CLASS" and kind in EMPTY:
        yield EMPTY[kind]
        return
    try:
        value = ast.literal_eval(parameter.default_repr)
    except (ValueError, SyntaxError):
        return
    if value is not None:
        yield value


@dataclass(frozen=True)
class Trial:
    """An experiment: the findings against it, and its plan unless there is none."""

    findings: tuple[Finding, ...]
    plan: Mapping[str, Any] | None
    fault: str = ""

    @property
    def refusals(self) -> list[str]:
        """All reasons against it."""
        return [*map(str, self.findings), *filter(None, [self.fault])]


def attempt(subject: PluginUnderTest, values: Mapping[str, Any]) -> Trial:
    """Return what becomes of an experiment with ``values`` by dotted path."""
    findings: tuple[Finding, ...] = ()
    try:
        experiment = subject.experiment(values)
        findings = tuple(rule_errors(experiment, subject.required_backend.info))
        plan = subject.required_backend.build_plan(experiment)
    except LlemError as error:
        return Trial(findings, None, " ".join(error.message.split()))
    return Trial(findings, leaves(plan))


def faults(
    subject: PluginUnderTest,
    base: Mapping[str, Any],
    values: list[tuple[str, Any]],
    choices: frozenset[str] = frozenset(),
) -> list[str]:
    """Return what is wrong with each of ``values`` by itself on top of ``base``.

    It may be refused for nothing, and may change the plan only where a value of its field that
    acts would not be refused.

    Args:
        subject: The backend.
        base: Values by dotted path that an experiment has already.
        values: Path and value of what an engine documents as off or default.
        choices: Fields whose value is an ordinary choice that the engine takes in every case,
            though another one may be refused.
    """
    before = attempt(subject, base)
    assert before.refusals == []
    found = []
    for path, value in values:
        decided = "decoder.temperature" in base and path == "decoder.do_sample"
        if decided or any(path == given or path.startswith(f"{given}.") for given in base):
            continue
        tried = attempt(subject, {**base, path: value})
        found += [f"{path}: {value!r} is refused: {reason}" for reason in tried.refusals]
        changed = tried.plan not in (None, before.plan)
        if changed and path not in choices and _is_idle(subject, base, path):
            found.append(f"{path}: {value!r} changes the plan, where it cannot act")
    return found


def _is_idle(subject: PluginUnderTest, base: Mapping[str, Any], path: str) -> bool:
    """Whether ``base`` alone refuses every value of the field at ``path`` that acts."""
    fields = [field for field in subject.all_fields.values() if field.path == path]
    return bool(fields) and all(_all_refused(subject, base, field) for field in fields)


def _all_refused(subject: PluginUnderTest, base: Mapping[str, Any], field: ConfigField) -> bool:
    acting = [value for value in candidates(field) if field.is_set(value)]
    context = field.param.example_context
    around = {**context, **base}
    if around != {**base, **context}:
        # What the examples need contradicts the base.
        return False
    return bool(acting) and all(
        any(field.path in (finding.path, *finding.message.split()) for finding in trial.findings)
        for trial in (attempt(subject, {**around, field.path: value}) for value in acting)
    )
