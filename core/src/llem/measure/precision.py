"""When to stop repeating, and what is missing when it had to stop early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from llem.api.config import MeasurementConfig
from llem.api.meter import Provenance, Series
from llem.api.outcome import Reason
from llem.measure.coverage import Span
from llem.measure.ratio import ratio_precision
from llem.measure.reconcile import counted_once
from llem.measure.rows import Row, rows_of
from llem.measure.statistics import spread
from llem.measure.sums import quadrature, total

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
    rows = [row for row in counted_once(rows_of(series, windows, {}, "")) if row.counted]
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
