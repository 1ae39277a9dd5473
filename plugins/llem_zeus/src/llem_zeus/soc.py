"""Systems on a chip through Zeus: Apple silicon and NVIDIA Jetson."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zeus.device.soc import get_soc
from zeus.device.soc.apple import apple_silicon_is_available
from zeus.device.soc.common import SoC
from zeus.device.soc.jetson import jetson_is_available

from llem.api.meters import Channel, Quantity
from llem_zeus.meter import Source, ZeusMeter


@dataclass(frozen=True, slots=True)
class _Domain:
    """A field of Zeus's measurement, in millijoules, and its domain."""

    field: str
    name: str
    contained_in: str | None = None


APPLE = (
    _Domain("cpu_total_mj", "cpu"),
    _Domain("gpu_mj", "gpu"),
    _Domain("gpu_sram_mj", "gpu sram"),
    _Domain("dram_mj", "dram"),
    _Domain("ane_mj", "neural engine"),
)
"""Disjoint domains of Apple's counters; ``cpu`` includes the figures of cores and clusters."""

JETSON = (
    _Domain("total_energy_mj", "board"),
    _Domain("cpu_energy_mj", "cpu", contained_in="board"),
    _Domain("gpu_energy_mj", "gpu", contained_in="board"),
)
"""The rails of the board's power monitor."""

JETSON_PERIOD_S = 0.1
"""Time between two of Zeus's readings of a Jetson's rails."""


class AppleMeter(ZeusMeter):
    """The energy counters of an Apple chip."""

    missing = "no Apple silicon, or its library is missing: pip install 'llem-zeus[apple]'"

    def connect(self) -> Sequence[Source]:
        """Return the chip, if this machine has one."""
        return sources(get_soc(), "cpu:apple", APPLE) if apple_silicon_is_available() else ()


class JetsonMeter(ZeusMeter):
    """The rails of a Jetson board, whose power Zeus integrates in a separate process."""

    missing = "no Jetson board"

    def connect(self) -> Sequence[Source]:
        """Return the board, if this machine is one."""
        if not jetson_is_available():
            return ()
        return sources(get_soc(), "cpu:jetson", JETSON, update_period_s=JETSON_PERIOD_S)


def sources(
    soc: SoC,
    device: str,
    domains: Sequence[_Domain],
    *,
    update_period_s: float | None = None,
) -> list[Source]:
    """Return a source with a channel for each domain that the chip reports.

    Args:
        soc: Zeus's object for the chip.
        device: Its device id.
        domains: The domains that such a chip may report.
        update_period_s: Update period of its counters, if known.
    """
    offered = soc.get_available_metrics()
    present = [domain for domain in domains if domain.field in offered]
    if not present:
        return []
    names = {domain.name for domain in present}
    channels = tuple(
        Channel(
            device=device,
            domain=domain.name,
            quantity=Quantity.ENERGY,
            update_period_s=update_period_s,
            resolution=0.001,
            contained_in=domain.contained_in if domain.contained_in in names else None,
            note="through Zeus",
        )
        for domain in present
    )

    def read() -> Sequence[float]:
        measured = soc.get_total_energy_consumption()
        return tuple(getattr(measured, domain.field) / 1000 for domain in present)

    return [Source(channels, read)]
