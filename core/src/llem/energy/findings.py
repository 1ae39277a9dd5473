"""What the rows of an accounting say about themselves, as verdict codes with figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from llem.api.meters import Quantity
from llem.energy.reconcile import disagreements
from llem.energy.rows import Row
from llem.schema.measurement import ThresholdsConfig
from llem.schema.outcome import Reason


def findings_of(rows: Sequence[Row], thresholds: ThresholdsConfig) -> Iterator[Reason]:
    """Yield everything worth saying about the rows' readings."""
    for row in rows:
        yield from _source(row)
        yield from _readings(row, thresholds)
        if row.counted:
            yield from _idle(row, thresholds)
    for one in disagreements(rows, thresholds.max_meter_difference_ratio):
        message = f"{one.other.name} differs from {one.counted.name} by {one.difference_ratio:+.1%}"
        yield Reason(code="meter-disagreement", message=message)


def _source(row: Row) -> Iterator[Reason]:
    """Say what happened to the source that should have given the energy."""
    replaced = row.gross_j is not None and row.stood_in > 0
    if row.integral.reset:
        yield Reason(code="counter-reset", message=f"{row.name}: the counter went back")
    if row.integral.stuck:
        message = f"{row.name}: the counter stood still while the device was on"
        yield Reason(code="counter-stuck", message=message)
    if replaced:
        method = row.sources[1].channel.quantity
        message = f"{row.name}: {method} stood in for the {row.series.channel.quantity} in "
        message += f"{row.stood_in} of {len(row.each_j)} windows"
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
        when = "ever" if not series.times_s else "any more at some point"
        return Reason(code="device-lost", message=f"{row.name}: it did not answer {when}")
    message = f"{row.name}: its readings do not cover the windows"
    return Reason(code="meter-lost", message=message)


def _readings(row: Row, thresholds: ThresholdsConfig) -> Iterator[Reason]:
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


def _idle(row: Row, thresholds: ThresholdsConfig) -> Iterator[Reason]:
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
            message += f"beside {mean_w:.4g} W under load"
            yield Reason(code="idle-drift", message=message)
