"""The effect between two samples, with its interval, its test and what it could have seen.

Positive figures are compared on the scale of logarithms: noise of speed and energy is relative, and
a difference of logarithms is a ratio, so that its interval is one of the relative change. The
estimate is the ratio of geometric means less one. Figures that may be negative (net energy) have
an absolute difference only.

Tests and intervals are SciPy's: Welch's t for independent samples, the paired t for pairs, the
BCa bootstrap beside them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

LEVEL = 0.95
"""Confidence of the intervals."""

LEAST_FOR_BOOTSTRAP = 5
"""Fewer values a side than this, and resampling them shows less spread than there is."""

_RESAMPLES = 4999
_SEED = 0  # the same outcomes give the same interval


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval; ``None`` for an end that cannot be known."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference of means (of logarithms, if ``relative``), and how well it is known.

    Attributes:
        estimate: The difference, new less base.
        standard_error: Its standard error; ``None`` if too few values can tell.
        df: Degrees of freedom of that error.
        relative: Whether it is one of natural logarithms.
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
        """Return the effect with further, independent standard errors, known exactly.

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
    ours, theirs = np.asarray(base, float), np.asarray(new, float)
    if relative:
        ours, theirs = np.log(ours), np.log(theirs)
    estimate = float(np.mean(theirs) - np.mean(ours))
    if min(len(ours), len(theirs)) < 2:
        return Effect(estimate, None, math.nan, relative)
    spread = np.ptp(theirs - ours) if paired else max(np.ptp(ours), np.ptp(theirs))
    # Rounding apart, nothing varies, as with bytes of memory: what was seen is what there is.
    if spread <= 1e-12 * max(np.abs(ours).max(), np.abs(theirs).max(), 1e-300):
        return Effect(0.0 if math.isclose(estimate, 0, abs_tol=1e-12) else estimate, 0.0, math.inf,
                      relative)  # fmt: skip
    test = stats.ttest_rel(theirs, ours) if paired else stats.ttest_ind(
        theirs, ours, equal_var=False
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
    ours, theirs = np.asarray(base, float), np.asarray(new, float)
    if relative:
        ours, theirs = np.log(ours), np.log(theirs)

    def difference(theirs: np.ndarray, ours: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(np.mean(theirs, axis=axis) - np.mean(ours, axis=axis))

    with warnings.catch_warnings():
        # Values that do not vary have no such interval; the NaN says so.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        found = stats.bootstrap(
            (theirs, ours), difference, paired=paired, vectorized=True, n_resamples=_RESAMPLES,
            confidence_level=LEVEL, method="BCa", rng=np.random.default_rng(_SEED),
        ).confidence_interval  # fmt: skip
    estimate = float(difference(theirs, ours))
    ends = [estimate, float(found.low), float(found.high)]
    if not all(map(math.isfinite, ends)):
        return None
    return Interval(*(math.expm1(end) if relative else end for end in ends))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that among all of them a false finding is as rare as in one.

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
