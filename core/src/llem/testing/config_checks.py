"""Checks of a backend's config section."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from llem.config import experiment_model
from llem.config.core_rules import RULES
from llem.config.rule_checks import rules_of
from llem.introspect.config_parameters import schema_of
from llem.introspect.json_schema import bounds, numeric, unit_of
from llem.registry.plugin_calls import plugin_errors
from llem.schema.fields import ConfigField
from llem.testing.check_definition import Fault, check
from llem.testing.field_effects import effects, neutral_effects
from llem.testing.plugin_under_test import PluginUnderTest
from llem.testing.prerequisites import Requires

_DERIVE = "Derive it from BackendConfig; derive its parts from Section or FrozenModel."


@check(Requires.BACKEND)
def check_config_model(subject: PluginUnderTest) -> Iterable[Fault]:
    """llem_config_model returns a model that fits into an experiment, with nothing required."""
    subject.load_section()
    return ()


@check(Requires.CONFIG)
def check_config_unset(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every field is unset by default, so that the engine's default applies."""
    for name, field in subject.section.model_fields.items():
        if field.default is not None:
            yield Fault(
                f"{name} is {field.default!r} by default",
                hint="Let it default to None, and leave the engine's default to the engine.",
            )


@check(Requires.CONFIG)
def check_config_frozen(subject: PluginUnderTest) -> Iterator[Fault]:
    """No value can be changed after validation."""
    for model in _models(subject):
        if not model.model_config.get("frozen"):
            yield Fault(f"{model.__name__} is not frozen", _DERIVE)


@check(Requires.CONFIG)
def check_config_strict(subject: PluginUnderTest) -> Iterator[Fault]:
    """An unknown key is refused, never dropped."""
    for model in _models(subject):
        if model.model_config.get("extra") != "forbid":
            yield Fault(f"{model.__name__} accepts unknown keys", _DERIVE)


@check(Requires.CONFIG)
def check_config_described(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every field has a description."""
    for field in subject.fields:
        if not field.info.description:
            yield Fault(f"{field.path} has no description", "Put a docstring below the field.")


@check(Requires.SCHEMA)
def check_config_bounded(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every number has bounds."""
    for field in subject.fields:
        if is_number(field) and not bounds(schema_of(field)[0]):
            yield Fault(
                f"{field.path} takes any number",
                hint="Give it Field(ge=…, le=…) for what the engine accepts.",
            )


@check(Requires.SCHEMA)
def check_config_units(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every number has a unit, "1" if it counts nothing."""
    for field in subject.fields:
        if is_number(field) and not unit(field):
            yield Fault(
                f"{field.path} has no unit",
                hint="Give it Param(unit=…), or a name that ends in a unit, such as _s or _bytes.",
            )


@check(Requires.SCHEMA)
def check_config_markers(subject: PluginUnderTest) -> Iterator[Fault]:
    """The marker of a field names only fields that exist."""
    for path, unknown in subject.unknown_paths:
        yield Fault(f"{path}: there is no {unknown}", "Write the path as a config does.")


@check(Requires.MARKERS)
def check_config_rules(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every rule has a unique name, existing fields, and a hint."""
    rules = (*RULES, *rules_of(subject.name, subject.section))
    counts = Counter(rule.name for rule in rules)
    yield from (Fault(f"{name} names several rules") for name, n in counts.items() if n > 1)
    for rule in rules:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name):
            yield Fault(f"{rule.name}: a rule's name is words joined by hyphens")
        if missing := sorted(set(rule.fields) - set(subject.all_fields)):
            yield Fault(f"{rule.name}: there is no {', '.join(missing)}")
        if rule.reason.endswith(".") or not rule.hint.endswith("."):
            yield Fault(
                f"{rule.name}: its reason is a clause and its hint a sentence",
                hint="Only the hint ends in a full stop.",
            )


@check(Requires.CONFIG)
def check_config_schema(subject: PluginUnderTest) -> Iterable[Fault]:
    """It has a JSON schema, which editors and agents read."""
    subject.make_schema()
    return ()


@check(Requires.PLAN)
def check_config_examples(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every field has example values, and an experiment accepts each of them."""
    for field in settable(subject):
        tried = effects(subject, field)
        if not tried:
            yield Fault(
                f"{field.path} has no values to try",
                "Give it Param(examples=…).",
            )
        for effect in tried:
            if effect.refused:
                yield Fault(
                    f"{field.path}: {effect.value!r} is refused: {'; '.join(effect.refused)}",
                    hint="Name the fields it needs: Param(requires=…) or Param(example_context=…).",
                )


@check(Requires.PLAN)
def check_config_neutral(subject: PluginUnderTest) -> Iterator[Fault]:
    """A value that switches a field off is accepted everywhere, so that a sweep can include it."""
    for field in settable(subject):
        for effect in neutral_effects(subject, field):
            for reason in (*effect.refused, *filter(None, [effect.broken])):
                yield Fault(
                    f"{field.path}: {effect.value!r} is neutral, and refused: {reason}",
                    hint="Widen the field's bounds, and let its rules ask llem.schema.fields.acts.",
                )


@check(Requires.PLAN)
def check_config_round_trip(subject: PluginUnderTest) -> Iterator[Fault]:
    """An experiment written as JSON reads back as the same experiment."""
    model = experiment_model(subject.required_backend)
    for field in settable(subject):
        for effect in effects(subject, field):
            if (experiment := effect.experiment) is None:
                continue
            text = experiment.model_dump_json()
            with plugin_errors(f"reading {text}"):
                again = model.model_validate_json(text)
            if again != experiment:
                yield Fault(f"{field.path}: {effect.value!r} reads back as another value")


@check(Requires.CONFIG)
def check_config_pure(subject: PluginUnderTest) -> Iterator[Fault]:
    """Validation loads pydantic alone, and touches no file, network, environment or device."""
    stage = subject.isolated.validating
    yield from (Fault(f"it imports {name}") for name in stage.imports)
    hint = "Check the machine in llem_preflight, which is passed a HostInfo."
    yield from (Fault(f"it touches {effect}", hint) for effect in stage.effects)


def settable(subject: PluginUnderTest) -> Iterator[ConfigField]:
    """Yield the fields that an experiment can set; a plain section holds such fields."""
    for field in subject.fields:
        if field.is_settable:
            yield field


def is_number(field: ConfigField) -> bool:
    """Whether the field takes numbers other than an enumeration."""
    return any(numeric(schema_of(field)[0]))


def unit(field: ConfigField) -> str:
    """Return the unit of the field's numbers, or an empty string."""
    return field.param.unit or unit_of(field.path.rpartition(".")[2])


def _models(subject: PluginUnderTest) -> list[type[BaseModel]]:
    owners = (field.owner for field in subject.fields)
    return list(dict.fromkeys((subject.section, *owners)))
