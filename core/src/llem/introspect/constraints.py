"""What is refused: rules, exclusions and conditions, of core and of every backend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from llem.config.core_rules import RULES
from llem.config.rule_checks import rules_of
from llem.introspect.config_parameters import parameters
from llem.registry import Backend, Registry
from llem.schema.experiment import Rule


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A combination that is refused, or remarked on.

    Attributes:
        name: Its stable identifier, which a refusal carries as its code.
        backend: The backend that it belongs to; ``None`` for one that holds for all.
        parameters: The parameters concerned; the first one is blamed.
        reason: What is wrong with it.
        hint: What to write instead.
        severity: ``error`` refuses the experiment, ``warning`` lets it run with the remark.
    """

    name: str
    backend: str | None
    parameters: tuple[str, ...]
    reason: str
    hint: str
    severity: Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class MutualExclusion:
    """Two parameters that cannot be set together.

    Attributes:
        backend: The backend that says so.
        parameters: Their paths.
    """

    backend: str
    parameters: tuple[str, str]


@dataclass(frozen=True, slots=True)
class SkipCondition:
    """When a parameter has no effect.

    Attributes:
        parameter: Its path.
        condition: The condition, in words.
    """

    parameter: str
    condition: str


@dataclass(frozen=True, slots=True)
class ComputeCapabilityNeed:
    """Which NVIDIA devices a parameter asks for.

    Attributes:
        parameter: Its path.
        value: The value that does, as text; ``*`` is any.
        compute_capability: The least one.
    """

    parameter: str
    value: str
    compute_capability: tuple[int, int]


def validation_rules(registry: Registry, backend: str | None = None) -> tuple[ValidationRule, ...]:
    """Return core's rules, then those of each backend or of the one called ``backend``.

    Raises:
        BackendUnavailable: The one that was asked for cannot be used.
    """

    def of_backend(one: Backend) -> tuple[ValidationRule, ...]:
        return tuple(_described(one.name, rules_of(one.name, one.config_model())))

    if backend is not None:
        found: tuple[tuple[ValidationRule, ...], ...] = (of_backend(registry.backend(backend)),)
    else:
        found = registry.ask_all(of_backend)
    return (*_described(None, RULES), *(rule for rules in found for rule in rules))


def _described(backend: str | None, rules: Iterable[Rule[Any]]) -> Iterator[ValidationRule]:
    for rule in rules:
        yield ValidationRule(rule.name, backend, rule.fields, rule.reason, rule.hint, rule.severity)


def mutual_exclusions(
    registry: Registry, backend: str | None = None
) -> tuple[MutualExclusion, ...]:
    """Return every pair of parameters that exclude each other, once.

    Raises:
        BackendUnavailable: The backend that was asked for cannot be used.
    """
    pairs = {
        frozenset((one.path, other)): (one.backend, one.path, other)
        for one in parameters(registry, backend)
        for other in one.conflicts_with
    }
    return tuple(MutualExclusion(name, (one, other)) for name, one, other in pairs.values() if name)


def skip_conditions(registry: Registry, backend: str | None = None) -> tuple[SkipCondition, ...]:
    """Return when parameters have no effect, whether a program knows it or only a reader.

    Raises:
        BackendUnavailable: The backend that was asked for cannot be used.
    """
    found = []
    for one in parameters(registry, backend):
        found += [
            SkipCondition(one.path, f"unless {other} is {wanted}")
            for other, wanted in one.requires.items()
        ]
        if one.ignored_when:
            found.append(SkipCondition(one.path, f"when {one.ignored_when}"))
    return tuple(found)


def compute_capability_needs(
    registry: Registry, backend: str | None = None
) -> tuple[ComputeCapabilityNeed, ...]:
    """Return the parameters that ask for a certain NVIDIA compute capability.

    Raises:
        BackendUnavailable: The backend that was asked for cannot be used.
    """
    return tuple(
        ComputeCapabilityNeed(one.path, value, needed)
        for one in parameters(registry, backend)
        for value, needed in one.min_compute_capability.items()
    )
