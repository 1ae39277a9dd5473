"""The rules that follow from the markers of a backend's fields, so that none is written twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from llem.api.config.base import GIVEN, BackendConfig, Rule
from llem.api.config.experiment import Experiment
from llem.api.config.fields import ConfigField, value_at, walk


@cache
def rules_of(backend: str, section: type[BackendConfig]) -> tuple[Rule, ...]:
    """Return every rule of a backend: those it wrote, and those its fields' markers state.

    Args:
        backend: Its name, which is the section's name in an experiment.
        section: The model of its section.
    """
    fields = tuple(walk(section, f"{backend}."))
    needs = (_need(field, *need) for field in fields for need in field.param.needs.items())
    return (*section.rules, *needs, *_exclusions(fields))


def _need(field: ConfigField, other: str, wanted: Any) -> Rule:
    """Return the rule that refuses ``field`` unless ``other`` has a value it acts with."""

    def violated(experiment: Experiment) -> bool:
        if not field.is_set(value_at(experiment, field.path)):
            return False
        return not satisfies(value_at(experiment, other), wanted)

    return Rule(
        name=f"{_kebab(field.path)}-needs-{_relative(other, field.path)}",
        fields=(field.path, other),
        reason=f"it acts only when {other} is {in_words(wanted)}",
        remedy=f"Set {other}{_to(wanted)}, or remove {field.path}.",
        violated=violated,
    )


def satisfies(value: Any, wanted: Any) -> bool:
    """Whether ``value`` is what a ``Param.needs`` entry asks for."""
    if wanted is GIVEN:
        return value is not None
    return value in wanted if isinstance(wanted, tuple) else bool(value == wanted)


def in_words(wanted: Any) -> str:
    """Say which values a ``Param.needs`` entry asks for."""
    if wanted is GIVEN:
        return "set"
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    return " or ".join(
        value if isinstance(value, str) else json.dumps(value, default=str) for value in values
    )


def _to(wanted: Any) -> str:
    return "" if wanted is GIVEN else f" to {in_words(wanted)}"


def _exclusions(fields: tuple[ConfigField, ...]) -> Iterator[Rule]:
    by_path = {field.path: field for field in (*walk(Experiment), *fields)}
    seen: set[frozenset[str]] = set()
    for field in fields:
        for other in field.param.excludes:
            if frozenset((field.path, other)) in seen:
                continue
            seen.add(frozenset((field.path, other)))
            yield _exclusion(field, by_path[other])


def _exclusion(field: ConfigField, other: ConfigField) -> Rule:
    """Return the rule that refuses both fields at once."""

    def violated(experiment: Experiment) -> bool:
        return all(_is_on(one, experiment) for one in (field, other))

    return Rule(
        name=f"{_kebab(field.path)}-or-{_relative(other.path, field.path)}",
        fields=(field.path, other.path),
        reason=f"it cannot be combined with {other.path}",
        remedy=f"Remove {field.path} or {other.path}.",
        violated=violated,
    )


def _is_on(field: ConfigField, experiment: Experiment) -> bool:
    """Whether the field is set; what is switched off is not in the way of anything."""
    value = value_at(experiment, field.path)
    return field.is_set(value) and value is not False


def _kebab(path: str) -> str:
    """Return the path inside its section as one word: ``x.a.b_c`` becomes ``a-b-c``."""
    return path.partition(".")[2].replace(".", "-").replace("_", "-")


def _relative(path: str, neighbour: str) -> str:
    """Name ``path`` as seen from ``neighbour``: without the section if that is the same."""
    section, _, inside = path.partition(".")
    same = section == neighbour.partition(".")[0]
    return (inside if same else path).replace(".", "-").replace("_", "-")
