"""The effect between two samples: estimate, interval, test, and power.

Positive figures are compared by their logarithms: noise of speed and energy is relative, and a
difference of logarithms is a ratio, so its interval is that of the relative change. The estimate is
the ratio of geometric means less one. Figures that may be negative (net energy) have an absolute
difference only.

Tests and intervals are SciPy's: Welch's t for independent samples, the paired t for pairs, the
BCa bootstrap beside them.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

LEVEL = 0.95
"""Confidence of the intervals."""

LEAST_FOR_BOOTSTRAP = 5
"""Resampling fewer values a side shows less spread than there is."""

_RESAMPLES = 4999
_SEED = 0  # the same outcomes give the same interval


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval; ``None`` for an unknown end."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference of means (of logarithms, if ``relative``), and its standard error.

    Attributes:
        estimate: The difference, new less base.
        standard_error: Its standard error; ``None`` for too few values.
        df: Degrees of freedom of that error.
        relative: Whether it is a difference of natural logarithms.
    """

    estimate: float
    standard_error: float | None
    df: float
    relative: bool

    @property
    def p(self) -> float | None:
        """Two-sided probability of an estimate this far from 0 if there were no effect."""
        if self.standard_error is None:
            return None
        if self.standard_error == 0:
            return float(self.estimate == 0)
        return float(2 * stats.t.sf(abs(self.estimate) / self.standard_error, self.df))

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the t-interval: relative changes if ``relative``, else in the metric's unit."""
        if self.standard_error is None:
            return Interval(self._shown(self.estimate), None, None)
        half = 0.0
        if self.standard_error:
            half = float(stats.t.ppf((1 + level) / 2, self.df)) * self.standard_error
        ends = (self.estimate, self.estimate - half, self.estimate + half)
        return Interval(*(self._shown(end) for end in ends))

    def widened(self, *errors: float) -> Effect:
        """Return the effect with further independent standard errors, which are known exactly.

        Source: The Welch-Satterthwaite formula, JCGM 100:2008, G.4.1.
        """
        if self.standard_error is None or not any(errors):
            return self
        total = math.hypot(self.standard_error, *errors)
        df = self.df * (total / self.standard_error) ** 4 if self.standard_error else math.inf
        return Effect(self.estimate, total, df, self.relative)

    def _shown(self, value: float) -> float:
        return math.expm1(value) if self.relative else value


def effect(base: Sequence[float], new: Sequence[float], *, paired: bool, relative: bool) -> Effect:
    """Return the effect between two samples.

    Args:
        base: Values of the baseline.
        new: Values of the other side; as many, and in the same order, if ``paired``.
        paired: Whether the values of both sides belong together.
        relative: Whether to compare logarithms; every value must be above 0.
    """
    before, after = _scaled(base, new, relative=relative)
    estimate = float(np.mean(after) - np.mean(before))
    if min(len(before), len(after)) < 2:
        return Effect(estimate, None, math.nan, relative)
    spread = np.ptp(after - before) if paired else max(np.ptp(before), np.ptp(after))
    # Except for rounding, nothing varies, as with bytes of memory: the difference is exact.
    if spread <= 1e-12 * max(np.abs(before).max(), np.abs(after).max(), 1e-300):
        return Effect(0.0 if math.isclose(estimate, 0, abs_tol=1e-12) else estimate, 0.0, math.inf,
                      relative)  # fmt: skip
    test = stats.ttest_rel(after, before) if paired else stats.ttest_ind(
        after, before, equal_var=False
    )  # fmt: skip
    low, high = test.confidence_interval(LEVEL)
    df = float(test.df)
    error = (float(high) - float(low)) / 2 / float(stats.t.ppf((1 + LEVEL) / 2, df))
    return Effect(estimate, error, df, relative)


def bootstrap_interval(
    base: Sequence[float], new: Sequence[float], *, paired: bool, relative: bool
) -> Interval | None:
    """Return the BCa bootstrap interval of the same effect, or ``None`` for too few values.

    Source: Efron, "Better bootstrap confidence intervals", JASA 82 (1987).
    """
    if min(len(base), len(new)) < LEAST_FOR_BOOTSTRAP:
        return None
    before, after = _scaled(base, new, relative=relative)

    def difference(after: np.ndarray, before: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(np.mean(after, axis=axis) - np.mean(before, axis=axis))

    with warnings.catch_warnings():
        # Values that do not vary have no such interval; SciPy returns NaN.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        found = stats.bootstrap(
            (after, before), difference, paired=paired, vectorized=True, n_resamples=_RESAMPLES,
            confidence_level=LEVEL, method="BCa", rng=np.random.default_rng(_SEED),
        ).confidence_interval  # fmt: skip
    estimate = float(difference(after, before))
    ends = [estimate, float(found.low), float(found.high)]
    if not all(map(math.isfinite, ends)):
        return None
    return Interval(*(math.expm1(end) if relative else end for end in ends))


def _scaled(
    base: Sequence[float], new: Sequence[float], *, relative: bool
) -> tuple[np.ndarray, np.ndarray]:
    before, after = np.asarray(base, float), np.asarray(new, float)
    return (np.log(before), np.log(after)) if relative else (before, after)


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number: a false positive among all is as rare as in one.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
    of Statistics 6 (1979).
    """
    number = len(probabilities)
    adjusted, least = [0.0] * number, 0.0
    ranked = sorted(range(number), key=lambda at: probabilities[at])
    for rank, at in enumerate(ranked):
        least = max(least, min(1.0, (number - rank) * probabilities[at]))
        adjusted[at] = least
    return adjusted


POWER = 0.8
"""Chance with which an effect of the stated size is found."""

MOST_REPETITIONS = 10_000
"""Upper bound on repetitions worth planning."""


def power_of(effect: float, standard_error: float, df: float, alpha: float) -> float:
    """Return the chance that a two-sided t-test finds a true ``effect``."""
    critical = float(stats.t.ppf(1 - alpha / 2, df))
    shift = abs(effect) / standard_error
    if not math.isfinite(df) or df > 1e4:  # SciPy's noncentral t fails there
        return float(stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift))
    # The opposite tail: beyond this shift it is below 1e-6, and SciPy may return NaN.
    wrong_way = float(stats.nct.cdf(-critical, df, shift)) if shift < 5 else 0.0
    return float(stats.nct.sf(critical, df, shift)) + wrong_way


def smallest_detectable(effect: Effect, alpha: float) -> float | None:
    """Return the smallest true effect that the test finds with a chance of ``POWER``.

    Units: a relative increase if the effect is relative, else those of the metric.

    Args:
        effect: An estimated effect; only its error is used.
        alpha: Level of the test, corrected for the number of tests.
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
    """Return how many values a side it takes to find a true relative change of ``wanted_ratio``.

    Args:
        base: Values of the baseline; their spread is assumed to stay the same.
        new: Values of the other side.
        wanted_ratio: The change that should be found with a chance of ``POWER``.
        paired: Whether the values of both sides belong together.
        alpha: Level of the test.
        gain_error: Standard error of the logarithm that repetitions do not reduce.

    Returns:
        The number, or ``None`` if ``MOST_REPETITIONS`` are too few, or the spread is unknown.
    """
    if min(len(base), len(new)) < 2 or min(*base, *new) <= 0:
        return None
    before, after = _scaled(base, new, relative=True)
    parts = [np.var(after - before, ddof=1)] if paired else [
        np.var(side, ddof=1) for side in (before, after)
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

    numbers = range(2, MOST_REPETITIONS + 1)
    at = bisect_left(numbers, True, key=finds)
    return numbers[at] if at < len(numbers) else None
