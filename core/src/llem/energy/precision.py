"""When warm-up and repetitions may end, and what is missing when a cap ended them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from llem.api.meters import Provenance
from llem.energy.coverage import Span
from llem.energy.energy_rows import EnergyRows, slowest_period_s
from llem.energy.statistics import TWO_SIDED_95, ratio_precision, spread, t_quantile_975
from llem.errors import counted
from llem.schema.energy import Energy
from llem.schema.measurement import MeasurementConfig, WarmupConfig
from llem.schema.outcome import Reason

LOOK_BACK = 3
"""Number of last repetitions whose variation counts."""

TREND_LOOK_BACK = 6
"""Number of last repetitions whose trend counts."""


def is_stable(durations_s: Sequence[float], config: WarmupConfig) -> bool:
    """Return whether the workload is warm, by the configured strategy.

    Args:
        durations_s: Duration of every warm-up repetition so far.
        config: Strategy, least number of repetitions, and how well they must agree.
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

    A line is flat if Student's t-test does not tell its slope from 0 (5 %, two-sided), or if the
    repetitions change along it by no more than the ratio. Scatter is no trend.
    """
    n = len(recent_s)
    if n < TREND_LOOK_BACK:
        return False
    slope, intercept = statistics.linear_regression(range(n), recent_s)
    if abs(slope) * (n - 1) <= within_ratio * statistics.fmean(recent_s):
        return True
    residual = sum((last_s - intercept - slope * at) ** 2 for at, last_s in enumerate(recent_s))
    positions = sum((at - (n - 1) / 2) ** 2 for at in range(n))
    error = (residual / (n - 2) / positions) ** 0.5
    return bool(abs(slope) <= t_quantile_975(n - 2) * error)


EndedBy = Literal["precision", "max-duration", "max-repetitions"]


@dataclass(frozen=True, slots=True)
class Precision:
    """Agreement of the repetitions.

    Attributes:
        of: The compared figure: J per output token where energy is measured, else the duration.
        half_width_ratio: Half the 95 % interval of its mean, as a share of it; infinite while
            it is unknown.
    """

    of: Literal["j_per_output_token", "duration"]
    half_width_ratio: float


def precision(rows: EnergyRows, output_tokens: Sequence[int]) -> Precision:
    """Return the precision that repetitions have reached.

    Args:
        rows: Energy of the repetitions so far. Readings may end a little before the last window
            does; the windows that they cover decide.
        output_tokens: Generated tokens of each repetition.
    """
    of_energy = _energy_precision(rows, output_tokens)
    if of_energy is not None:
        return Precision("j_per_output_token", of_energy)
    duration = spread(rows.durations_s) if rows.windows else None
    if duration is None or duration.ci95_high is None or duration.mean == 0:
        return Precision("duration", float("inf"))
    return Precision("duration", (duration.ci95_high - duration.mean) / duration.mean)


def _energy_precision(rows: EnergyRows, output_tokens: Sequence[int]) -> float | None:
    """Return the precision of J per output token; ``None`` where no energy is measured."""
    known = [at for at, energy_j in enumerate(rows.window_j) if energy_j is not None]
    measured = all(row.series.provenance is Provenance.MEASURED for row in rows.counted)
    if not known or not measured or sum(output_tokens) == 0:
        return None
    reached = ratio_precision(
        [energy_j for energy_j in rows.window_j if energy_j is not None],
        [output_tokens[at] for at in known],
        [rows.durations_s[at] for at in known],
        uncertainty_j=rows.uncertainty_j or 0.0,
        update_period_s=slowest_period_s(rows.counted),
    )
    return float("inf") if reached is None else reached.half_width_ratio


def ended_by(
    windows: Sequence[Span], reached: Precision, config: MeasurementConfig
) -> EndedBy | None:
    """Return why to stop, or ``None`` to continue.

    Args:
        windows: The repetitions so far.
        reached: Their precision.
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
    """Yield a reason for each target that was missed when the repetitions ended."""
    total_s = sum(end_s - start_s for start_s, end_s in windows)
    if total_s < config.min_duration_s or len(windows) < config.min_repetitions:
        message = (
            f"{counted(len(windows), 'repetition')} in {total_s:.2f} s; asked for at least "
            f"{config.min_repetitions} in {config.min_duration_s:g} s"
        )
        yield Reason(code="window-too-short", message=message)
    if reached.half_width_ratio > config.target_ci_ratio:
        what = {"duration": "a repetition's duration", "j_per_output_token": "J per output token"}
        # A single repetition gives no interval.
        known = (
            f"known to ±{reached.half_width_ratio:.1%}"
            if isfinite(reached.half_width_ratio)
            else "not known: an interval needs two repetitions"
        )
        message = f"{what[reached.of]} is {known}; asked for ±{config.target_ci_ratio:.1%}"
        yield Reason(code="precision-not-reached", message=message)


def too_uncertain(energy: Energy, target_ci_ratio: float) -> Iterator[Reason]:
    """Yield a reason if the readings of a single window leave its energy too uncertain."""
    if energy.gross_j is None or energy.uncertainty_j is None or energy.gross_j <= 0:
        return
    half_width_ratio = TWO_SIDED_95 * energy.uncertainty_j / energy.gross_j
    if half_width_ratio > target_ci_ratio:
        known = f"the energy is known to ±{half_width_ratio:.1%}; asked for ±{target_ci_ratio:.1%}"
        yield Reason(code="precision-not-reached", message=known)
