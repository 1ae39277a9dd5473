"""Reasons that follow from the rows of a measurement, with figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llem.api.meters import Provenance, Quantity
from llem.energy.domain_energy import Row
from llem.energy.energy_rows import device_domain
from llem.schema.measurement import ThresholdsConfig
from llem.schema.outcome import Reason


def row_reasons(rows: Sequence[Row], thresholds: ThresholdsConfig) -> Iterator[Reason]:
    """Yield every reason that follows from the rows' readings."""
    for row in rows:
        yield from _source_reasons(row)
        yield from _reading_reasons(row, thresholds)
        if row.counted:
            yield from _idle_reasons(row, thresholds)
    for found in disagreements(rows, thresholds.max_meter_difference_ratio):
        message = f"{found.other.name} differs from {found.counted.name} "
        message += f"by {found.difference_ratio:+.1%}"
        yield Reason(code="meter-disagreement", message=message)


def _source_reasons(row: Row) -> Iterator[Reason]:
    """Yield the reasons about the source that should have given the energy."""
    if row.integral.reset:
        yield Reason(code="counter-reset", message=f"{row.name}: the counter went back")
    if row.integral.stuck:
        message = f"{row.name}: the counter stood still while the device was on"
        yield Reason(code="counter-stuck", message=message)
    if row.gross_j is not None and row.fallback_windows > 0:
        method = row.sources[1].channel.quantity
        message = f"{row.name}: {method} stood in for the {row.series.channel.quantity} in "
        message += f"{row.fallback_windows} of {len(row.window_j)} windows"
        yield Reason(code="meter-fallback", message=message)
    if row.series.channel.fallback_for:
        message = (
            f"{row.name}: {row.series.channel.quantity} is used, {row.used.channel.fallback_for}"
        )
        yield Reason(code="meter-fallback", message=message)
    if row.gross_j is None:
        yield _lost(row)


def _lost(row: Row) -> Reason:
    series = row.series
    if series.failures and (not series.times_s or series.failures[-1] > series.times_s[-1]):
        when = "never answered" if not series.times_s else "stopped answering"
        return Reason(code="device-lost", message=f"{row.name}: the device {when}")
    message = f"{row.name}: its readings do not cover the windows"
    return Reason(code="meter-lost", message=message)


def _reading_reasons(row: Row, thresholds: ThresholdsConfig) -> Iterator[Reason]:
    gap_s = row.integral.gap_s
    if gap_s > thresholds.max_gap_ratio * row.duration_s:
        message = f"{row.name}: no readings for {gap_s:.2f} s of the windows"
        yield Reason(code="sampling-gap", message=message)
    elif row.integral.missed and row.gross_j is not None:
        message = f"{row.name}: {row.integral.missed} readings failed and were bridged"
        yield Reason(code="readings-missed", message=message)
    period_s = row.integral.update_period_s or row.used.channel.update_period_s
    if row.used.channel.quantity is Quantity.AVERAGE_POWER:
        period_s = max(period_s or 0.0, row.used.channel.averaged_over_s or 0.0)
    if period_s is not None and row.duration_s < thresholds.min_update_periods * period_s:
        message = f"{row.name} updates every {period_s:.3g} s; the windows last "
        message += f"{row.duration_s:.2f} s"
        yield Reason(code="window-too-short", message=message)


def _idle_reasons(row: Row, thresholds: ThresholdsConfig) -> Iterator[Reason]:
    net_j, uncertainty_j = row.net_j, row.net_uncertainty_j
    if net_j is not None and uncertainty_j is not None and net_j < -2 * uncertainty_j:
        message = f"{row.name}: net energy is {net_j:.4g} J ± {uncertainty_j:.2g} J"
        yield Reason(code="negative-net", message=message)
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
            message = f"{row.name}: idle power changed by {change_w:+.3g} W {when}, "
            message += f"compared with {mean_w:.4g} W under load"
            yield Reason(code="idle-drift", message=message)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two meters that report different energy for one domain.

    Attributes:
        counted: The row that enters the total.
        other: The row that does not.
        difference_ratio: The other's energy less the counted energy, as a share of the latter.
    """

    counted: Row
    other: Row
    difference_ratio: float


def disagreements(rows: Sequence[Row], tolerance_ratio: float) -> Iterator[Disagreement]:
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
            ratio = difference_j / row.gross_j if row.gross_j else math.inf
            yield Disagreement(row, other, ratio)
