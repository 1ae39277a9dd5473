"""Conditions of devices: temperature, clocks, limits, throttling, processes of other users."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from llem.api.meters import DeviceState
from llem.energy.coverage import Span
from llem.schema.energy import DeviceConditions
from llem.schema.measurement import ThresholdsConfig
from llem.schema.outcome import Reason

T = TypeVar("T")

HARMLESS = "power-cap"
"""A power limit that holds a device under full load works as intended: no throttling."""

NEAR_S = 1.0
"""A sample this close to the windows counts as one within them: there is about one a second."""


def conditions(
    states: Sequence[DeviceState], windows: Sequence[Span], foreign: Collection[int] = ()
) -> list[DeviceConditions]:
    """Return a row for each device with samples during ``windows``.

    Args:
        states: Samples of the devices that were used.
        windows: The measured repetitions, in order of time.
        foreign: Processes that do not belong to the run.
    """
    if not windows:
        return []
    start_s, end_s = windows[0][0] - NEAR_S, windows[-1][1] + NEAR_S
    by_device: dict[str, list[DeviceState]] = {}
    for state in states:
        if start_s <= state.time_s <= end_s:
            by_device.setdefault(state.device, []).append(state)
    return [_row(device, samples, foreign) for device, samples in by_device.items()]


def _row(device: str, samples: Sequence[DeviceState], foreign: Collection[int]) -> DeviceConditions:
    temperatures = _known(sample.temperature_c for sample in samples)
    clocks = _known(sample.core_clock_hz for sample in samples)
    memory_clocks = _known(sample.memory_clock_hz for sample in samples)
    limits = _known(sample.power_limit_w for sample in samples)
    throttled = [set(causes) for causes in _known(sample.throttled_by for sample in samples)]
    users = {pid for sample in samples for pid in sample.process_ids or ()}
    partitioned = _known(sample.partitioned for sample in samples)
    return DeviceConditions(
        device=device,
        samples=len(samples),
        temperature_first_c=temperatures[0] if temperatures else None,
        temperature_max_c=max(temperatures, default=None),
        core_clock_mean_hz=_mean(clocks),
        core_clock_min_hz=min(clocks, default=None),
        core_clock_max_hz=max(clocks, default=None),
        memory_clock_mean_hz=_mean(memory_clocks),
        power_limit_w=min(limits, default=None),
        throttled_ratio=_mean([float(bool(causes - {HARMLESS})) for causes in throttled]),
        power_capped_ratio=_mean([float(HARMLESS in causes) for causes in throttled]),
        throttled_by=tuple(sorted(set().union(*throttled))),
        foreign_processes=tuple(sorted(users & set(foreign))),
        partitioned=any(partitioned) if partitioned else None,
    )


def condition_reasons(
    rows: Sequence[DeviceConditions], thresholds: ThresholdsConfig
) -> Iterator[Reason]:
    """Yield the reasons that follow from the devices' conditions."""
    for row in rows:
        for code, finding in _findings(row, thresholds):
            yield Reason(code=code, message=f"{row.device}{finding}")


def _findings(row: DeviceConditions, thresholds: ThresholdsConfig) -> Iterator[tuple[str, str]]:
    """Yield each reason's code, and what its message says of the device."""
    if (row.throttled_ratio or 0.0) > thresholds.max_throttled_ratio:
        by = ", ".join(name for name in row.throttled_by if name != HARMLESS)
        yield "throttled", f" was throttled in {row.throttled_ratio:.0%} of the samples: {by}"
    if row.foreign_processes:
        names = ", ".join(map(str, row.foreign_processes))
        yield "foreign-process", f" was used by processes that are not the run's: {names}"
    if row.partitioned:
        yield "partitioned-device", " is split into instances; its energy is that of all instances"
    low, high, mean = row.core_clock_min_hz, row.core_clock_max_hz, row.core_clock_mean_hz
    if low is not None and high is not None and mean:
        spread, limits = (high - low) / mean, f"from {low / 1e6:.0f} to {high / 1e6:.0f} MHz"
        if spread > thresholds.max_clock_spread_ratio:
            yield "clock-unstable", f": its core clock varied by {spread:.0%}, {limits}"
    first, most = row.temperature_first_c, row.temperature_max_c
    if first is not None and most is not None and most - first > thresholds.max_temperature_rise_c:
        yield "temperature-unstable", f" warmed up from {first:.0f} to {most:.0f} °C"


def _known(values: Iterable[T | None]) -> list[T]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
