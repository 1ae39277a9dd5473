"""Live power: of each domain for `llem meter --watch`, of all together during a run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from llem.api.meters import Series
from llem.energy.domain_energy import Row
from llem.energy.energy_rows import EnergyRows, energy_rows
from llem.registry import Registry
from llem.run.metering import choose_meters, sampling
from llem.schema.measurement import MeasurementConfig

PERIOD_S = 1.0
"""Time between two snapshots, and the time over which power is averaged."""

DELAY_S = 0.3
"""Age of a snapshot: it needs readings on both sides of its edges."""

RECENT = 200
"""Number of last readings in a snapshot: several seconds at any period."""


@dataclass(frozen=True, slots=True)
class LivePower:
    """A domain at one moment.

    Attributes:
        meter: Name of the meter.
        device: Device id.
        domain: Part of the device.
        power_w: Mean power over the last second, or ``None`` if unavailable.
        energy_j: Energy since the start, or ``None`` if a part of it is unavailable.
        contained: Whether another row includes it.
    """

    meter: str
    device: str
    domain: str
    power_w: float | None
    energy_j: float | None
    contained: bool


def watch(registry: Registry, measurement: MeasurementConfig) -> Iterator[list[LivePower]]:
    """Yield a row for each domain once a second, until the caller stops.

    Raises:
        ConfigInvalid: A meter does not exist or does not work here.
    """
    meters = choose_meters(registry, measurement)
    energies_j: dict[int, float | None] = {}
    with sampling(meters, measurement.sample_period_s) as sampler:
        due_s = time.monotonic() + DELAY_S + PERIOD_S
        while True:
            time.sleep(max(0.0, due_s + DELAY_S - time.monotonic()))
            last_second = _energy_rows(sampler.series(), due_s)
            rows = []
            for at, row in enumerate(last_second.rows):
                last_j, before_j = row.window_j[0], energies_j.get(at, 0.0)
                energies_j[at] = None if last_j is None or before_j is None else before_j + last_j
                rows.append(_live(row, energies_j[at]))
            yield rows
            due_s += PERIOD_S


def power_now_w(series: Sequence[Series], end_s: float) -> float | None:
    """Return the mean power of all devices together over the second before ``end_s``.

    Args:
        series: The readings so far, on both sides of ``end_s``.
        end_s: End of the second, on the monotonic clock.

    Returns:
        The power, or ``None`` if the power of a domain is unavailable or there is no meter.
    """
    (energy_j,) = _energy_rows(series, end_s).window_j
    return None if energy_j is None else energy_j / PERIOD_S


def _energy_rows(series: Sequence[Series], end_s: float) -> EnergyRows:
    """Return the energy of the second before ``end_s``, by the rules of a stored outcome.

    Only the last readings are used, so that watching for days does not cost more.
    """
    recent = [
        replace(source, times_s=source.times_s[-RECENT:], values=source.values[-RECENT:])
        for source in series
    ]
    return energy_rows(recent, [(end_s - PERIOD_S, end_s)])


def _live(row: Row, energy_j: float | None) -> LivePower:
    channel, last_j = row.series.channel, row.window_j[0]
    return LivePower(
        meter=row.series.meter,
        device=channel.device,
        domain=channel.domain,
        power_w=None if last_j is None else last_j / PERIOD_S,
        energy_j=energy_j,
        contained=not row.counted,
    )
