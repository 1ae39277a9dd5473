"""Find out what each value of a config field changes in the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llem.config.rule_checks import rule_errors
from llem.errors import ConfigError, PluginBroken
from llem.introspect.config_parameters import schema_of
from llem.introspect.json_schema import bounds, choices
from llem.registry.plugin_calls import plugin_errors
from llem.schema.base import IS_SET
from llem.schema.call_plan import CallPlan, Construct, encode
from llem.schema.experiment import Experiment
from llem.schema.fields import ConfigField

if TYPE_CHECKING:
    from llem.testing.plugin_under_test import PluginUnderTest

_ABSENT = object()


@dataclass(frozen=True)
class Effect:
    """What a value of a field does.

    Attributes:
        value: The value.
        refused: Reasons why an experiment with it is refused.
        broken: Why no plan can be built of an experiment with it, or empty.
        changed: Names that differ from the plan without it.
        experiment: The experiment with it; ``None`` if it does not validate.
        plan: The plan of that experiment; ``None`` without a plan.
    """

    value: Any
    refused: tuple[str, ...] = ()
    broken: str = ""
    changed: frozenset[str] = field(default=frozenset())
    experiment: Experiment | None = None
    plan: CallPlan | None = None


def effects(subject: PluginUnderTest, field: ConfigField) -> tuple[Effect, ...]:
    """Return what each value worth trying does, in an experiment in which the field can act."""
    key = (field.path, field.owner)
    if key not in subject.tried:
        around = surroundings(subject, field)
        before = leaves(subject.plan(around))
        subject.tried[key] = tuple(
            _effect(subject, field, value, around, before) for value in candidates(field)
        )
    found: tuple[Effect, ...] = subject.tried[key]
    return found


def neutral_effects(subject: PluginUnderTest, field: ConfigField) -> Iterator[Effect]:
    """Yield what each neutral value does, by itself and where the field can act.

    Other fields may need a value of this one that acts: what is refused without it tells nothing.
    """
    for around in ({}, surroundings(subject, field)):
        if any(rule_errors(subject.experiment(around), subject.required_backend.info)):
            continue
        before = leaves(subject.plan(around))
        for value in field.param.neutral:
            yield _effect(subject, field, value, around, before)


def _effect(
    subject: PluginUnderTest,
    field: ConfigField,
    value: Any,
    around: Mapping[str, Any],
    before: Mapping[str, Any],
) -> Effect:
    try:
        experiment = subject.experiment({**around, field.path: value})
    except PluginBroken as error:
        return Effect(value, refused=(" ".join(error.message.split()),))
    backend = subject.required_backend
    refused: tuple[str, ...] = ()
    try:
        with plugin_errors("a rule"):
            refused = tuple(map(str, rule_errors(experiment, backend.info)))
        plan = backend.build_plan(experiment)
    except ConfigError as error:
        return Effect(value, refused=(*refused, error.message), experiment=experiment)
    except PluginBroken as error:
        return Effect(value, refused, broken=error.message, experiment=experiment)
    after = leaves(plan)
    changed = frozenset(
        name
        for name in before.keys() | after.keys()
        if before.get(name, _ABSENT) != after.get(name, _ABSENT)
    )
    return Effect(value, refused, "", changed, experiment, plan)


def surroundings(
    subject: PluginUnderTest, field: ConfigField, above: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the values of other fields that ``field`` needs, directly or indirectly.

    Args:
        subject: The plugin.
        field: The field.
        above: Paths of fields that are in hand already: two may need each other.
    """
    known = subject.all_fields
    above |= {field.path}
    values: dict[str, Any] = {}
    for other, wanted in field.param.requires.items():
        value = None if other in above or other not in known else _pick(known[other], wanted)
        if value is not None:
            values |= {**surroundings(subject, known[other], above), other: value}
    return values | dict(field.param.example_context)


def _pick(field: ConfigField, wanted: Any) -> Any:
    if wanted is IS_SET:
        return next(iter(candidates(field)), None)
    return (None if None in wanted else wanted[0]) if isinstance(wanted, tuple) else wanted


def candidates(field: ConfigField) -> tuple[Any, ...]:
    """Return values to try: the author's examples, or those that the type lists, if any."""
    if field.param.examples:
        return field.param.examples
    schema, definitions = schema_of(field)
    if listed := choices(schema, definitions):
        return listed
    if any(member.get("type") == "boolean" for member in schema.get("anyOf", [schema])):
        return (True, False)
    limits = bounds(schema)
    return tuple(limits[key] for key in ("minimum", "maximum") if key in limits)


def leaves(plan: CallPlan) -> dict[str, Any]:
    """Return every value in ``plan`` by dotted name, without arguments that only the run has."""
    found = dict(_below("settings", dict(plan.settings)))
    for call in plan.calls:
        found[call.name] = (call.target, [encode(value) for value in call.args])
        for name, value in call.kwargs.items():
            found |= _below(f"{call.name}.{name}", value)
    return found


def _below(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield ``value``, and after an object or a mapping the values inside it."""
    match value:
        case Construct(target, kwargs):
            yield name, target
            inside: Mapping[str, Any] = kwargs
        case dict():
            yield name, "a mapping"
            inside = value
        case _:
            yield name, encode(value)
            return
    for key, item in inside.items():
        yield from _below(f"{name}.{key}", item)


def accounts_for(mapped: str, changed: str) -> bool:
    """Whether a field that sets ``mapped`` may change ``changed``: the same name, or one inside."""
    return (
        changed == mapped
        or changed.startswith(f"{mapped}.")
        # The object that takes the argument comes into being with it.
        or mapped.startswith(f"{changed}.")
    )
