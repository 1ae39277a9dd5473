"""Under which conditions devices worked: temperature, clocks, limits, throttling, other users."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from llem.api.meters import DeviceState
from llem.energy.coverage import Span
from llem.schema.energy import DeviceConditions
from llem.schema.measurement import ThresholdsConfig
from llem.schema.outcome import Reason

HARMLESS = "power-cap"
"""Holding a device to its power limit under full load is what the limit is for."""

NEAR_S = 1.0
"""A sample this close to the windows counts as one within them: there is about one a second."""


def conditions(
    states: Sequence[DeviceState], windows: Sequence[Span], foreign: Collection[int] = ()
) -> list[DeviceConditions]:
    """Return a row for each device that told anything during ``windows``.

    Args:
        states: What was seen of the devices that were used.
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
    return [_row(device, seen, foreign) for device, seen in by_device.items()]


def _row(device: str, seen: Sequence[DeviceState], foreign: Collection[int]) -> DeviceConditions:
    temperatures = [one.temperature_c for one in seen if one.temperature_c is not None]
    clocks = [one.core_clock_hz for one in seen if one.core_clock_hz is not None]
    memory_clocks = [one.memory_clock_hz for one in seen if one.memory_clock_hz is not None]
    limits = [one.power_limit_w for one in seen if one.power_limit_w is not None]
    throttled = [set(one.throttled_by) for one in seen if one.throttled_by is not None]
    users = {pid for one in seen for pid in one.process_ids or ()}
    partitioned = [one.partitioned for one in seen if one.partitioned is not None]
    return DeviceConditions(
        device=device,
        samples=len(seen),
        temperature_first_c=temperatures[0] if temperatures else None,
        temperature_max_c=max(temperatures, default=None),
        core_clock_mean_hz=_mean(clocks),
        core_clock_min_hz=min(clocks, default=None),
        core_clock_max_hz=max(clocks, default=None),
        memory_clock_mean_hz=_mean(memory_clocks),
        power_limit_w=min(limits, default=None),
        throttled_ratio=_mean([float(bool(one - {HARMLESS})) for one in throttled]),
        power_capped_ratio=_mean([float(HARMLESS in one) for one in throttled]),
        throttled_by=tuple(sorted(set().union(*throttled))),
        foreign_processes=tuple(sorted(users & set(foreign))),
        partitioned=any(partitioned) if partitioned else None,
    )


def findings(rows: Sequence[DeviceConditions], thresholds: ThresholdsConfig) -> Iterator[Reason]:
    """Yield what speaks against, or is worth knowing about, the devices' conditions."""
    for row in rows:
        if (row.throttled_ratio or 0.0) > thresholds.max_throttled_ratio:
            by = ", ".join(name for name in row.throttled_by if name != HARMLESS)
            message = (
                f"{row.device} was throttled in {row.throttled_ratio:.0%} of the samples: {by}"
            )
            yield Reason(code="throttled", message=message)
        if row.foreign_processes:
            names = ", ".join(map(str, row.foreign_processes))
            message = f"{row.device} was used by processes that are not the run's: {names}"
            yield Reason(code="foreign-process", message=message)
        if row.partitioned:
            message = f"{row.device} is split into instances, and its energy is that of all"
            yield Reason(code="partitioned-device", message=message)
        yield from _unstable(row, thresholds)


def _unstable(row: DeviceConditions, thresholds: ThresholdsConfig) -> Iterator[Reason]:
    low, high, mean = row.core_clock_min_hz, row.core_clock_max_hz, row.core_clock_mean_hz
    if low is not None and high is not None and mean:
        spread = (high - low) / mean
        if spread > thresholds.max_clock_spread_ratio:
            message = f"{row.device}: its core clock varied by {spread:.0%}, "
            message += f"from {low / 1e6:.0f} to {high / 1e6:.0f} MHz"
            yield Reason(code="clock-unstable", message=message)
    first, most = row.temperature_first_c, row.temperature_max_c
    if first is not None and most is not None and most - first > thresholds.max_temperature_rise_c:
        message = f"{row.device} warmed up from {first:.0f} to {most:.0f} °C"
        yield Reason(code="temperature-unstable", message=message)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
