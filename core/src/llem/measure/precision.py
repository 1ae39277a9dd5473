"""When to stop repeating, and what is missing when it had to stop early."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.config import MeasurementConfig
from llem.api.outcome import Reason
from llem.measure.statistics import spread


def enough(durations_s: Sequence[float], config: MeasurementConfig) -> bool:
    """Return whether to stop: both minimum and precision are reached, or a cap is.

    Args:
        durations_s: Window length of every repetition so far.
        config: Minima, precision and caps.
    """
    total_s = sum(durations_s)
    if len(durations_s) >= config.max_repetitions or total_s >= config.max_duration_s:
        return True
    return (
        len(durations_s) >= config.min_repetitions
        and total_s >= config.min_duration_s
        and precision(durations_s) <= config.target_ci_ratio
    )


def precision(durations_s: Sequence[float]) -> float:
    """Return half the 95 % interval of the duration over its mean; infinite for fewer than two.

    Every repetition does the same work, so this is the precision of its speed as well.
    """
    statistics = spread(durations_s)
    if statistics.ci95_high is None or statistics.mean == 0:
        return float("inf")
    return (statistics.ci95_high - statistics.mean) / statistics.mean


def shortcomings(durations_s: Sequence[float], config: MeasurementConfig) -> list[Reason]:
    """Return what was not reached when the repetitions ended."""
    found = []
    total_s = sum(durations_s)
    if total_s < config.min_duration_s or len(durations_s) < config.min_repetitions:
        message = (
            f"{len(durations_s)} repetitions in {total_s:.2f} s; asked for at least "
            f"{config.min_repetitions} in {config.min_duration_s:g} s"
        )
        found.append(Reason(code="window-too-short", message=message))
    if (reached := precision(durations_s)) > config.target_ci_ratio:
        message = (
            f"a repetition's duration is known to ±{reached:.1%}; "
            f"asked for ±{config.target_ci_ratio:.1%}"
        )
        found.append(Reason(code="precision-not-reached", message=message))
    return found
