"""When to stop repeating, and what is missing when it had to stop early."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from llem.api.meters import Provenance, Series
from llem.energy.coverage import Span
from llem.energy.reconcile import deduplicate
from llem.energy.rows import Row, rows_of
from llem.energy.statistics import quadrature, ratio_precision, spread, t_quantile_975, total
from llem.schema.measurement import MeasurementConfig, WarmupConfig
from llem.schema.outcome import Reason

LOOK_BACK = 3
"""Repetitions whose variation is looked at."""

TREND_LOOK_BACK = 6
"""Repetitions in which a trend is looked for."""


def is_stable(durations_s: Sequence[float], config: WarmupConfig) -> bool:
    """Return whether the workload is warmed up, by the strategy asked for.

    Args:
        durations_s: Duration of every warm-up repetition so far.
        config: The strategy, how many repetitions there must be, and how well they must agree.
    """
    if config.max_repetitions == 0:
        return True
    if len(durations_s) < config.min_repetitions:
        return False
    match config.strategy:
        case "fixed":
            return True
        case "variation":
            return _varies_little(durations_s[-LOOK_BACK:], config.stable_within_ratio)
        case "trend":
            return _has_no_trend(durations_s[-TREND_LOOK_BACK:], config.stable_within_ratio)


def _varies_little(recent_s: Sequence[float], within_ratio: float) -> bool:
    """Return whether the coefficient of variation is small enough."""
    if len(recent_s) < LOOK_BACK:
        return False
    return statistics.stdev(recent_s) <= within_ratio * statistics.fmean(recent_s)


def _has_no_trend(recent_s: Sequence[float], within_ratio: float) -> bool:
    """Return whether a line through the repetitions is flat.

    Flat is a slope that Student's t-test does not tell from none (5 %, two-sided), or one by
    which they change by no more than the ratio altogether. Scatter does no harm here.
    """
    n = len(recent_s)
    if n < TREND_LOOK_BACK:
        return False
    slope, intercept = statistics.linear_regression(range(n), recent_s)
    if abs(slope) * (n - 1) <= within_ratio * statistics.fmean(recent_s):
        return True
    left = sum((one - intercept - slope * at) ** 2 for at, one in enumerate(recent_s))
    spread = sum((at - (n - 1) / 2) ** 2 for at in range(n))
    error = (left / (n - 2) / spread) ** 0.5
    return bool(abs(slope) <= t_quantile_975(n - 2) * error)


EndedBy = Literal["precision", "max-duration", "max-repetitions"]


@dataclass(frozen=True, slots=True)
class Precision:
    """How well the repetitions agree.

    Attributes:
        of: What is compared: J per output token where energy is measured, else the duration.
        half_width_ratio: Half the 95 % interval of its mean, as a share of it; infinite where
            it is not known yet.
    """

    of: Literal["j_per_output_token", "duration"]
    half_width_ratio: float


def precision(
    windows: Sequence[Span], output_tokens: Sequence[int], series: Sequence[Series] = ()
) -> Precision:
    """Return the precision that repetitions have reached.

    Args:
        windows: The repetitions so far.
        output_tokens: What each of them generated.
        series: Readings of the devices that are used. They may end a little before the last
            window does; what they cover is judged.
    """
    of_energy = energy_precision(windows, output_tokens, series)
    if of_energy is not None:
        return Precision("j_per_output_token", of_energy)
    if not windows:
        return Precision("duration", float("inf"))
    statistics = spread([end_s - start_s for start_s, end_s in windows])
    if statistics.ci95_high is None or statistics.mean == 0:
        return Precision("duration", float("inf"))
    return Precision("duration", (statistics.ci95_high - statistics.mean) / statistics.mean)


def energy_precision(
    windows: Sequence[Span], output_tokens: Sequence[int], series: Sequence[Series]
) -> float | None:
    """Return the precision of J per output token; ``None`` where no energy is measured."""
    rows = [row for row in deduplicate(rows_of(series, windows, {}, "")) if row.counted]
    energies = [total([row.each_j[at] for row in rows]) for at in range(len(windows))]
    known = [at for at, energy_j in enumerate(energies) if energy_j is not None]
    if not known or not all(row.series.provenance is Provenance.MEASURED for row in rows):
        return None
    if sum(output_tokens) == 0:
        return None
    reached = ratio_precision(
        [energy_j for energy_j in energies if energy_j is not None],
        [output_tokens[at] for at in known],
        [windows[at][1] - windows[at][0] for at in known],
        uncertainty_j=quadrature([row.uncertainty_j for row in rows]) or 0.0,
        update_period_s=slowest_period_s(rows),
    )
    return float("inf") if reached is None else reached.half_width_ratio


def slowest_period_s(rows: Sequence[Row]) -> float:
    """Return the longest time over which one of the rows' sources says nothing new."""
    periods = (
        max(row.integral.update_period_s or 0.0, row.used.channel.averaged_over_s or 0.0)
        for row in rows
    )
    return max(periods, default=0.0)


def ended_by(
    windows: Sequence[Span], reached: Precision, config: MeasurementConfig
) -> EndedBy | None:
    """Return why to stop, or ``None`` to go on.

    Args:
        windows: The repetitions so far.
        reached: The precision they have reached.
        config: Minima, precision and caps.
    """
    total_s = sum(end_s - start_s for start_s, end_s in windows)
    if (
        len(windows) >= config.min_repetitions
        and total_s >= config.min_duration_s
        and reached.half_width_ratio <= config.target_ci_ratio
    ):
        return "precision"
    if len(windows) >= config.max_repetitions:
        return "max-repetitions"
    return "max-duration" if total_s >= config.max_duration_s else None


def shortcomings(
    windows: Sequence[Span], reached: Precision, config: MeasurementConfig
) -> Iterator[Reason]:
    """Yield what was not reached when the repetitions ended."""
    total_s = sum(end_s - start_s for start_s, end_s in windows)
    if total_s < config.min_duration_s or len(windows) < config.min_repetitions:
        message = (
            f"{len(windows)} repetitions in {total_s:.2f} s; asked for at least "
            f"{config.min_repetitions} in {config.min_duration_s:g} s"
        )
        yield Reason(code="window-too-short", message=message)
    if reached.half_width_ratio > config.target_ci_ratio:
        what = {"duration": "a repetition's duration", "j_per_output_token": "J per output token"}
        message = (
            f"{what[reached.of]} is known to ±{reached.half_width_ratio:.1%}; "
            f"asked for ±{config.target_ci_ratio:.1%}"
        )
        yield Reason(code="precision-not-reached", message=message)
