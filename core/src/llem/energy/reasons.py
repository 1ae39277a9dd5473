"""Conditions of the devices, and the reasons that follow from them and from the rows."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from llem.api.meters import DeviceState, Provenance, Quantity
from llem.energy.coverage import Span
from llem.energy.domain_energy import Row
from llem.energy.energy_rows import device_domain
from llem.energy.plausibility import limit_w
from llem.errors import counted, were
from llem.schema.energy import DeviceConditions
from llem.schema.measurement import ThresholdsConfig
from llem.schema.outcome import Reason

T = TypeVar("T")


def row_reasons(rows: Sequence[Row], thresholds: ThresholdsConfig) -> Iterator[Reason]:
    """Yield every reason that follows from the rows' readings."""
    for code, message in _findings(rows, thresholds):
        yield Reason(code=code, message=message)


def _findings(rows: Sequence[Row], thresholds: ThresholdsConfig) -> Iterator[tuple[str, str]]:
    """Yield code and message of each reason."""
    for row in rows:
        yield from _about_source(row)
        if row.counted:
            yield from _about_readings(row, thresholds)
            yield from _about_plausibility(row, thresholds)
            yield from _about_idle(row, thresholds)
    yield from _disagreements(rows, thresholds.max_meter_difference_ratio)


def _about_source(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the findings about the source that should have given the energy."""
    series, quantity = row.series, row.series.channel.quantity
    if row.integral.reset:
        yield "counter-reset", f"{row.name}: the counter went back"
    if row.integral.stood_s:
        yield (
            "counter-stuck",
            f"{row.name}: {quantity} stood still for {row.integral.stood_s:.3g} s",
        )
    if row.gross_j is not None and row.fallback_windows > 0:
        share = f"{row.fallback_windows} of {len(row.window_j)} windows"
        other = row.sources[1].channel.quantity
        yield "meter-fallback", f"{row.name}: {other} stood in for the {quantity} in {share}"
    if series.channel.fallback_for:
        why = row.used.channel.fallback_for
        yield "meter-fallback", f"{row.name}: {quantity} is used, {why}"
    if row.ignored:
        yield "domain-ignored", f"{row.name}: {row.ignored}; the domains within it count instead"
        if series.channel.contents_suffice:
            return
    elif row.gross_j is None and not row.counted:
        yield "domain-ignored", f"{row.name}: no energy of its own; the totals do not need it"
        return
    if row.gross_j is None or row.ignored:
        yield _loss(row)


def _loss(row: Row) -> tuple[str, str]:
    series = row.series
    if series.failures and (not series.times_s or series.failures[-1] > series.times_s[-1]):
        when = "stopped answering" if series.times_s else "never answered"
        return "device-lost", f"{row.name}: the device {when}"
    return "meter-lost", f"{row.name}: its readings do not cover the windows"


def _about_plausibility(row: Row, thresholds: ThresholdsConfig) -> Iterator[tuple[str, str]]:
    """Yield what a device's limit, its second source and single readings say of a row."""
    if row.integral.rejected:
        number = row.integral.rejected
        count = f"{counted(number, 'reading')} that no such device can give {were(number)} left out"
        yield "readings-rejected", f"{row.name}: {count}"
    if row.excess_ratio > thresholds.max_power_limit_ratio and row.gross_j is not None:
        mean_w, most_w = row.gross_j / row.duration_s, limit_w(row.series.channel)
        yield "beyond-power-limit", f"{row.name}: {mean_w:.4g} W, and its limit is {most_w:.4g} W"
    if row.mismatch is not None:
        difference, explained = row.mismatch
        if abs(difference) > max(thresholds.max_meter_difference_ratio, explained):
            first, second = (source.channel.quantity for source in row.sources[:2])
            ratio = f"{row.name}: {second} differs from {first} by {difference:+.1%}"
            yield "meter-disagreement", ratio


def _about_readings(row: Row, thresholds: ThresholdsConfig) -> Iterator[tuple[str, str]]:
    gap_s, missed = row.integral.gap_s, row.integral.missed
    if gap_s > thresholds.max_gap_ratio * row.duration_s:
        yield "sampling-gap", f"{row.name}: no readings for {gap_s:.2f} s of the windows"
    elif missed and row.gross_j is not None:
        yield (
            "readings-missed",
            f"{row.name}: {counted(missed, 'reading')} failed and {were(missed)} bridged",
        )
    period_s = row.integral.update_period_s or row.used.channel.update_period_s
    if row.used.channel.quantity is Quantity.AVERAGE_POWER:
        period_s = max(period_s or 0.0, row.used.channel.averaged_over_s or 0.0)
    if period_s is not None and row.duration_s < thresholds.min_update_periods * period_s:
        lasts = f"the windows last {row.duration_s:.2f} s"
        yield "window-too-short", f"{row.name} updates every {period_s:.3g} s; {lasts}"


def _about_idle(row: Row, thresholds: ThresholdsConfig) -> Iterator[tuple[str, str]]:
    net_j, uncertainty_j = row.net_j, row.net_uncertainty_j
    if net_j is not None and uncertainty_j is not None and net_j < -2 * uncertainty_j:
        figures = f"{net_j:.4g} J ± {uncertainty_j:.2g} J"
        yield "negative-net", f"{row.name}: net energy is {figures}"
    if row.gross_j is None or not row.duration_s:
        return
    mean_w = row.gross_j / row.duration_s
    allowed_w = thresholds.max_idle_drift_ratio * mean_w
    loaded, after = row.idles["loaded"], row.idles["after"]
    # Each change with its standard error: half a span is known half as well as the whole.
    changes = {
        f"during {name} idle": (idle.drift_w, 2 * idle.standard_error_w)
        for name, idle in row.idles.items()
        if idle is not None
    }
    if loaded and after:
        error_w = math.hypot(loaded.standard_error_w, after.standard_error_w)
        changes["from loaded idle to after"] = (after.power_w - loaded.power_w, error_w)
    for when, (change_w, error_w) in changes.items():
        if abs(change_w) > max(allowed_w, 2 * error_w):
            change = f"{change_w:+.3g} W {when}, compared with {mean_w:.4g} W under load"
            yield "idle-drift", f"{row.name}: idle power changed by {change}"


def _disagreements(rows: Sequence[Row], tolerance_ratio: float) -> Iterator[tuple[str, str]]:
    """Yield the rows that differ from the counted row of their domain.

    They disagree where the difference is larger than the tolerance and than twice what their
    uncertainties, sensor gain included, explain. An estimate never disagrees with a measurement.
    """
    counted = {device_domain(row): row for row in rows if row.counted}
    for other in rows:
        row = counted.get(device_domain(other))
        if row is None or row is other or other.series.provenance is Provenance.ESTIMATED:
            continue
        if row.gross_j is None or other.gross_j is None:
            continue
        difference_j = other.gross_j - row.gross_j
        explained_j = 2 * math.hypot(
            row.uncertainty_j,
            other.uncertainty_j,
            row.gain_uncertainty_j or 0.0,
            other.gain_uncertainty_j or 0.0,
        )
        if abs(difference_j) > max(tolerance_ratio * abs(row.gross_j), explained_j):
            found = (
                f"differs from {row.name} by {difference_j / row.gross_j:+.1%}"
                if row.gross_j
                else f"metered {other.gross_j:.4g} J, and {row.name} none"
            )
            yield "meter-disagreement", f"{other.name} {found}"


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
    return [_conditions_of(device, samples, foreign) for device, samples in by_device.items()]


def _conditions_of(
    device: str, samples: Sequence[DeviceState], foreign: Collection[int]
) -> DeviceConditions:
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
        for code, finding in _about_conditions(row, thresholds):
            yield Reason(code=code, message=f"{row.device}{finding}")


def _about_conditions(
    row: DeviceConditions, thresholds: ThresholdsConfig
) -> Iterator[tuple[str, str]]:
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
