"""What core and the backends refuse: rules, exclusions and conditions.

Each function covers every backend, or only ``backend``, and raises
:class:`~llem.errors.BackendUnavailable` if that backend cannot be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from llem.config.core_rules import RULES
from llem.config.rule_checks import rules_of
from llem.introspect.config_parameters import parameters
from llem.registry import Backend, Registry
from llem.schema.experiment import Rule
from llem.tables import Table


@dataclass(frozen=True, slots=True)
class MutualExclusion:
    """Two parameters of a backend, by path, that cannot be set together."""

    backend: str
    parameters: tuple[str, str]


@dataclass(frozen=True, slots=True)
class SkipCondition:
    """A condition, in words, under which the parameter at a path has no effect."""

    parameter: str
    condition: str


@dataclass(frozen=True, slots=True)
class ComputeCapabilityNeed:
    """The least compute capability that a value (as text; ``*``: any) of a parameter needs."""

    parameter: str
    value: str
    compute_capability: tuple[int, int]


Rules = Mapping[str | None, tuple[Rule[Any], ...]]
"""Rules by the backend that they belong to; ``None`` for those that hold for every backend."""


def validation_rules(registry: Registry, backend: str | None = None) -> Rules:
    """Return core's rules, then those of each backend or of the backend called ``backend``."""

    def rules(usable: Backend) -> tuple[str, tuple[Rule[Any], ...]]:
        return usable.name, rules_of(usable.name, usable.config_model())

    if backend is not None:
        return {None: RULES, **dict([rules(registry.backend(backend))])}
    return {None: RULES, **dict(registry.ask_all(rules))}


def rules_json(found: Rules) -> list[dict[str, Any]]:
    """Return rules as JSON data; the first of a rule's ``fields`` is blamed."""
    return [
        {"backend": backend}
        | {key: value for key, value in asdict(rule).items() if key != "violated"}
        for backend, rules in found.items()
        for rule in rules
    ]


def rule_table(found: Rules) -> Table:
    """Return a row for each rule."""
    return Table.of_texts(
        ("rule", "parameters", "reason", "hint"),
        (
            (_label(rule), ", ".join(rule.fields), rule.reason, rule.hint)
            for rules in found.values()
            for rule in rules
        ),
    )


def _label(rule: Rule[Any]) -> str:
    return rule.name if rule.severity == "error" else f"{rule.name} (warning only)"


def mutual_exclusions(
    registry: Registry, backend: str | None = None
) -> tuple[MutualExclusion, ...]:
    """Return every pair of parameters that exclude each other, once."""
    pairs = {
        frozenset((parameter.path, other)): (parameter.backend, parameter.path, other)
        for parameter in parameters(registry, backend)
        for other in parameter.conflicts_with
    }
    return tuple(
        MutualExclusion(owner, (path, other)) for owner, path, other in pairs.values() if owner
    )


def skip_conditions(registry: Registry, backend: str | None = None) -> tuple[SkipCondition, ...]:
    """Return when parameters have no effect, both what core checks and what only a text says."""
    found = []
    for parameter in parameters(registry, backend):
        found += [
            SkipCondition(parameter.path, f"unless {other} is {wanted}")
            for other, wanted in parameter.requires.items()
        ]
        if parameter.ignored_when:
            found.append(SkipCondition(parameter.path, f"when {parameter.ignored_when}"))
    return tuple(found)


def compute_capability_needs(
    registry: Registry, backend: str | None = None
) -> tuple[ComputeCapabilityNeed, ...]:
    """Return the parameters that need a certain NVIDIA compute capability."""
    return tuple(
        ComputeCapabilityNeed(parameter.path, value, needed)
        for parameter in parameters(registry, backend)
        for value, needed in parameter.min_compute_capability.items()
    )
