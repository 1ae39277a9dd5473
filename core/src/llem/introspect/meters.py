"""Which meters there are, and which of them work here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llem.api.meter import Channel, MeterSpec, Probe, Provenance
from llem.registry import Registry


@dataclass(frozen=True, slots=True)
class MeterSummary:
    """One meter and whether it works here.

    Attributes:
        name: Name in ``measurement.meters``.
        plugin: Plugin that offers it.
        summary: What it reads.
        provenance: Whether its figures are measured or estimated.
        device_kind: Kind of the devices it reads.
        fallback: Whether it stands in only where nothing measures.
        on_request: Whether it is used only when named.
        available: Whether it works here.
        reason: Why not and what to do, or a remark.
        channels: What it would read.
    """

    name: str
    plugin: str
    summary: str
    provenance: Provenance
    device_kind: str
    fallback: bool
    on_request: bool
    available: bool
    reason: str
    channels: tuple[Channel, ...]

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices it would read, each once."""
        return tuple(dict.fromkeys(channel.device for channel in self.channels))


def meters(registry: Registry) -> tuple[MeterSummary, ...]:
    """Return every meter offered, after asking each whether it works here."""
    specs = registry.meter_specs()
    options = _default_options() if specs else {}
    return tuple(
        _summary(plugin, spec, registry.probe_meter(plugin, spec, options))
        for plugin, spec in specs
    )


def _default_options() -> dict[str, Any]:
    from llem.api.config import MeasurementConfig

    return MeasurementConfig().model_dump(mode="json")


def _summary(plugin: str, spec: MeterSpec, probe: Probe) -> MeterSummary:
    return MeterSummary(
        name=spec.name,
        plugin=plugin,
        summary=spec.summary,
        provenance=spec.provenance,
        device_kind=spec.device_kind,
        fallback=spec.fallback,
        on_request=spec.on_request,
        available=probe.available,
        reason=probe.reason,
        channels=tuple(probe.channels),
    )
