"""Is the workload warmed up?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from llem.api.config import WarmupConfig
from llem.measure.statistics import t_quantile_975

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
