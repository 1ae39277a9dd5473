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
from llem.introspect.capability_matrix import capabilities
from llem.introspect.config_parameters import parameters
from llem.registry import Backend, Registry
from llem.schema.base import by_value
from llem.schema.experiment import Rule
from llem.schema.fields import walk
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
    """The least NVIDIA compute capability that a value of a parameter needs.

    Attributes:
        parameter: Path of the parameter.
        value: The value as text; ``*`` is any, and stands for any text within a form (``fp8*``).
        compute_capability: ``(major, minor)``.
        emulated: Whether an older device emulates it, which a remark says; refused otherwise.
        backend: The backend whose need it is.
    """

    parameter: str
    value: str
    compute_capability: tuple[int, int]
    emulated: bool = False
    backend: str = ""


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
    """Return every pair of parameters that exclude each other, once for each backend."""
    pairs = {
        (owner, frozenset((rule.fields[0], other))): (rule.fields[0], other)
        for owner, rules in validation_rules(registry, backend).items()
        for rule in rules
        for other in rule.excludes
        if owner
    }
    return tuple(MutualExclusion(owner, pair) for (owner, _), pair in pairs.items())


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
        found += [SkipCondition(parameter.path, f"without {need}") for need in parameter.needs]
    for info in capabilities(registry, backend):
        found += [
            SkipCondition(path, f"without {condition}, for {claimed}")
            for claimed, claim in info.claims.items()
            for path in claim.settings
            for condition in claim.requires
        ]
    return tuple(found)


def compute_capability_needs(
    registry: Registry, backend: str | None = None
) -> tuple[ComputeCapabilityNeed, ...]:
    """Return the parameters that need a certain NVIDIA compute capability."""
    found: list[ComputeCapabilityNeed] = []

    def collect(usable: Backend) -> None:
        section = usable.config_model()
        own = ((field.path, field.param) for field in walk(section, f"{usable.name}."))
        for path, param in (*own, *section.shared_needs.items()):
            for emulated, needs in (
                (False, by_value(param.min_compute_capability)),
                (True, by_value(param.native_compute_capability)),
            ):
                found.extend(
                    ComputeCapabilityNeed(path, value, needed, emulated, usable.name)
                    for value, needed in needs.items()
                )

    if backend is not None:
        collect(registry.backend(backend))
    else:
        registry.ask_all(collect)
    return tuple(dict.fromkeys(found))
