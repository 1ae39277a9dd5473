"""What each backend can do, as it declares itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llem.api.capability import Capability, Claim, Level
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
class CapabilityRow:
    """One row of the capability matrix.

    Attributes:
        capability: What is asked.
        claims: Each backend's answer, by its name.
    """

    capability: Capability
    claims: Mapping[str, Claim]


@dataclass(frozen=True, slots=True)
class CapabilityMatrix:
    """Every capability against every backend.

    Attributes:
        backends: The columns.
        rows: One for each :class:`Capability`, in the vocabulary's order.
    """

    backends: tuple[BackendSummary, ...]
    rows: tuple[CapabilityRow, ...]


def capabilities(registry: Registry, backend: str | None = None) -> CapabilityMatrix:
    """Return what every backend can do, or the one called ``backend``.

    Raises:
        BackendUnavailable: The one that was asked for cannot be used.
    """
    chosen = registry.backends() if backend is None else (registry.backend(backend),)
    infos = [one.info for one in chosen]
    return CapabilityMatrix(
        backends=tuple(BackendSummary(one.name, one.summary, one.devices) for one in infos),
        rows=tuple(
            CapabilityRow(
                capability,
                {one.name: one.claims.get(capability, Claim(Level.NO)) for one in infos},
            )
            for capability in Capability
        ),
    )
