"""What each backend can do, as it declares itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from llem.api.capability import (
    BackendInfo,
    Capability,
    Condition,
    HostInfo,
    Installed,
    Support,
)
from llem.registry import Registry


@dataclass(frozen=True, slots=True)
class BackendSummary:
    """One column of the capability matrix.

    Attributes:
        name: The backend's name in a config.
        summary: What it is, in one line.
        devices: Device kinds it can run on.
    """

    name: str
    summary: str
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One cell of the capability matrix.

    Attributes:
        level: How far the capability is supported.
        note: Restriction or remark, or empty.
        requires: What the machine must have, in words.
        missing: What of that this machine lacks; ``None`` when no machine was looked at.
        settings: What asks for it, by dotted path, where fields of the backend's own do.
    """

    level: Support
    note: str = ""
    requires: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class CapabilityRow:
    """One row of the capability matrix.

    Attributes:
        capability: What is asked.
        claims: Each backend's answer, by its name.
    """

    capability: Capability
    claims: Mapping[str, Answer]


@dataclass(frozen=True, slots=True)
class CapabilityMatrix:
    """Every capability against every backend.

    Attributes:
        backends: The columns.
        rows: One for each :class:`Capability`, in the vocabulary's order.
    """

    backends: tuple[BackendSummary, ...]
    rows: tuple[CapabilityRow, ...]


def capabilities(
    registry: Registry, backend: str | None = None, facts: HostInfo | None = None
) -> CapabilityMatrix:
    """Return what every backend can do, or the one called ``backend``.

    Args:
        registry: The installed plugins.
        backend: The only backend to ask, or ``None``.
        facts: The machine to hold the claims' conditions against, or ``None``.

    Raises:
        BackendUnavailable: The one that was asked for cannot be used.
    """
    chosen = registry.backends() if backend is None else (registry.backend(backend),)
    infos = [one.info for one in chosen]
    return CapabilityMatrix(
        backends=tuple(BackendSummary(one.name, one.summary, one.devices) for one in infos),
        rows=tuple(
            CapabilityRow(capability, {one.name: _answer(one, capability, facts) for one in infos})
            for capability in Capability
        ),
    )


def _answer(info: BackendInfo, capability: Capability, facts: HostInfo | None) -> Answer:
    claim = info.claim(capability)
    missing = None
    if facts is not None:
        missing = tuple(str(one) for one in claim.requires if not _met(one, facts))
    requires = tuple(map(str, claim.requires))
    return Answer(claim.level, claim.note, requires, missing, dict(claim.settings))


def _met(condition: Condition, facts: HostInfo) -> bool:
    if isinstance(condition, Installed) and condition.distribution not in facts.versions:
        facts = replace(facts, versions=_version_of(condition.distribution))
    return condition.met(facts)


def _version_of(distribution: str) -> dict[str, str]:
    try:
        return {distribution: version(distribution)}
    except PackageNotFoundError:
        return {}
