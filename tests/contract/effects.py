"""What a config field changes in a plan: the question that every backend's fields are asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llem.api.config import GIVEN, Experiment
from llem.api.config.fields import ConfigField, walk
from llem.api.plan import CallPlan, Construct, encode
from llem.config import experiment_model
from llem.config.judge import violations
from llem.introspect.kinds import bounds, choices
from llem.introspect.parameter import schema_of

BASE = {
    "model.id": "org/model",
    "workload": {"source": "prompts", "prompts": ["A text."], "output_tokens": 64},
}
"""Texts and a pretrained model, because synthetic prompts and random weights need fewer calls."""

ABSENT = object()


@dataclass(frozen=True)
class Effect:
    """What one value of a field does.

    Attributes:
        value: The value.
        refused: Codes of the findings that refuse an experiment with it.
        changed: Names of what differs in the plan from one without it.
    """

    value: Any
    refused: tuple[str, ...]
    changed: frozenset[str]


def effects(backend, field: ConfigField) -> list[Effect]:
    """Return what each value worth trying does, in an experiment in which the field can act."""
    around = surroundings(backend, field)
    before = leaves(backend.build_plan(experiment(backend, around)))
    found = []
    for value in candidates(field):
        valid = experiment(backend, {**around, field.path: value})
        refused = tuple(finding.code for finding in violations(valid, backend.info))
        after = leaves(backend.build_plan(valid))
        changed = {
            name
            for name in before.keys() | after.keys()
            if before.get(name, ABSENT) != after.get(name, ABSENT)
        }
        found.append(Effect(value, refused, frozenset(changed)))
    return found


def experiment(backend, values: Mapping[str, Any]) -> Experiment:
    """Return an experiment with ``values`` by dotted path; the rules have not been asked."""
    document: dict[str, Any] = {"backend": backend.name}
    for path, value in sorted({**BASE, **values}.items(), key=lambda item: item[0].count(".")):
        *sections, name = path.split(".")
        section = document
        for key in sections:
            section = section.setdefault(key, {})
        section[name] = dict(value) if isinstance(value, dict) else value
    return experiment_model(backend).model_validate(document)


def surroundings(
    backend, field: ConfigField, above: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the values of other fields that ``field`` needs, and those that they need.

    Args:
        backend: The backend.
        field: The field.
        above: Paths of fields that are looked after already: two may need each other.
    """
    known = {one.path: one for one in walk(experiment_model(backend))}
    above |= {field.path}
    values: dict[str, Any] = {}
    for other, wanted in field.param.needs.items():
        value = None if other in above else _pick(known[other], wanted)
        if value is not None:
            values |= {**surroundings(backend, known[other], above), other: value}
    return values | field.param.example_with


def _pick(field: ConfigField, wanted: Any) -> Any:
    if wanted is GIVEN:
        return candidates(field)[0]
    return (None if None in wanted else wanted[0]) if isinstance(wanted, tuple) else wanted


def candidates(field: ConfigField) -> tuple[Any, ...]:
    """Return values to try: the author's examples, or whatever the type tells."""
    if field.param.examples:
        return field.param.examples
    schema, definitions = schema_of(field)
    if listed := choices(schema, definitions):
        return listed
    if any(one.get("type") == "boolean" for one in schema.get("anyOf", [schema])):
        return (True, False)
    limits = bounds(schema)
    found = tuple(limits[key] for key in ("minimum", "maximum") if key in limits)
    assert found, f"{field.path} needs Param(examples=...): its type tells no value to try"
    return found


def leaves(plan: CallPlan) -> dict[str, Any]:
    """Return everything in ``plan`` by its dotted name; arguments of the run time are left out."""
    found = dict(_below("settings", dict(plan.settings)))
    for call in plan.calls:
        found[call.name] = (call.target, [encode(value) for value in call.args])
        for name, value in call.kwargs.items():
            found |= _below(f"{call.name}.{name}", value)
    return found


def _below(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield ``value``, an object or a mapping before what is inside it."""
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
    """Whether a field that sets ``mapped`` may change ``changed``: that, or what is inside it."""
    return (
        changed == mapped
        or changed.startswith(f"{mapped}.")
        # The object that takes the argument comes into being with it.
        or mapped.startswith(f"{changed}.")
    )
