"""What a comparison could have seen, and how much more it takes to see a given effect.

The power of a t-test is that of the noncentral t distribution: Cohen, "Statistical Power Analysis
for the Behavioral Sciences", 1988. The spread is the one that was seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

from llem.report.comparison.inference import Effect

POWER = 0.8
"""Chance with which an effect of the stated size is found."""

MOST_REPETITIONS = 10_000
"""Beyond this, nobody will repeat it."""


def power_of(effect: float, standard_error: float, df: float, alpha: float) -> float:
    """Return the chance that a two-sided t-test finds a true ``effect``."""
    critical = float(stats.t.ppf(1 - alpha / 2, df))
    shift = abs(effect) / standard_error
    if not math.isfinite(df) or df > 1e4:  # SciPy's noncentral t loses its way there
        return float(stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift))
    # The other side's tail: beyond this shift it is below 1e-6, and SciPy may not know it.
    wrong_way = float(stats.nct.cdf(-critical, df, shift)) if shift < 5 else 0.0
    return float(stats.nct.sf(critical, df, shift)) + wrong_way


def smallest_detectable(effect: Effect, alpha: float) -> float | None:
    """Return the smallest true effect that would have been found with a chance of ``POWER``.

    Units: a relative increase if the effect is relative, else those of the metric.

    Args:
        effect: What was estimated; only its error matters here.
        alpha: Level of the test, corrected for how many are made.
    """
    error = effect.standard_error
    if error is None:
        return None
    if error == 0:
        return 0.0

    def missing(shift: float) -> float:
        return power_of(shift * error, error, effect.df, alpha) - POWER

    most = 2 * (float(stats.t.ppf(1 - alpha / 2, effect.df)) + 10)
    while missing(most) < 0:
        most *= 2
    shift = float(optimize.brentq(missing, 0, most, xtol=1e-6))
    return math.expm1(min(shift * error, 700)) if effect.relative else shift * error


def repetitions_needed(
    base: Sequence[float],
    new: Sequence[float],
    wanted_ratio: float,
    *,
    paired: bool,
    alpha: float,
    gain_error: float = 0.0,
) -> int | None:
    """Return how many values a side would find a true relative change of ``wanted_ratio``.

    Args:
        base: Values of the baseline; their spread is taken to stay.
        new: Values of the other side.
        wanted_ratio: The change that should be found with a chance of ``POWER``.
        paired: Whether the values of both sides belong together.
        alpha: Level of the test.
        gain_error: Standard error of the logarithm that no repetition makes smaller.

    Returns:
        The number, or ``None`` if ``MOST_REPETITIONS`` are too few, or a side has no spread yet.
    """
    if min(len(base), len(new)) < 2 or min(*base, *new) <= 0:
        return None
    ours, theirs = np.log(base), np.log(new)
    parts = [np.var(theirs - ours, ddof=1)] if paired else [
        np.var(side, ddof=1) for side in (ours, theirs)
    ]  # fmt: skip
    variance = float(sum(parts))
    if variance == 0:
        return 2
    shape = variance**2 / float(sum(part**2 for part in parts))

    def finds(number: int) -> bool:
        from_spread = variance / number
        total = from_spread + gain_error**2
        df = shape * (number - 1) * (total / from_spread) ** 2
        return power_of(math.log1p(wanted_ratio), math.sqrt(total), df, alpha) >= POWER

    if not finds(MOST_REPETITIONS):
        return None
    low, high = 1, 2
    while not finds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if finds(middle) else (middle, high)
    return high
