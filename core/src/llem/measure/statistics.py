"""Mean, spread and quantiles."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np

from llem.api.outcome import Quantiles, Spread


def spread(values: Sequence[float]) -> Spread:
    """Return mean, sample standard deviation and the 95 % t-interval of the mean.

    A single value has no interval. Source: Student's t with n - 1 degrees of freedom.

    Raises:
        ValueError: There is no value.
    """
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Spread(mean=mean, std=None, ci95_low=None, ci95_high=None, n=n)
    std = statistics.stdev(values)
    half_width = t_quantile_975(n - 1) * std / math.sqrt(n)
    return Spread(mean=mean, std=std, ci95_low=mean - half_width, ci95_high=mean + half_width, n=n)


def rate_spread(amounts: Sequence[float], durations_s: Sequence[float]) -> Spread:
    """Return the statistics of a rate over repetitions, such as output tokens per second.

    The mean is all that was done over all the time it took, so that it agrees with the total;
    a mean of single rates would weigh short repetitions too much. Interval and deviation are
    those of the time per unit, inverted: the ends exactly, the deviation to first order. The
    upper end is ``None`` where the time's lower end is not above 0.

    Args:
        amounts: What each repetition did, such as its output tokens; not all 0.
        durations_s: How long it took.

    Raises:
        ValueError: There is no repetition.
    """
    per_repetition = math.fsum(amounts) / len(amounts)
    # Each duration, scaled as if its repetition had done the mean amount.
    slowness = spread([duration_s / per_repetition for duration_s in durations_s])
    return Spread(
        mean=1 / slowness.mean,
        std=None if slowness.std is None else slowness.std / slowness.mean**2,
        ci95_low=None if slowness.ci95_high is None else 1 / slowness.ci95_high,
        ci95_high=1 / slowness.ci95_low if slowness.ci95_low and slowness.ci95_low > 0 else None,
        n=slowness.n,
    )


def t_quantile_975(degrees_of_freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, 0.975))


def quantiles(values: Sequence[float]) -> Quantiles:
    """Return quantiles (linear interpolation between order statistics) and the mean.

    Units: those of ``values``; in an outcome, seconds.
    """
    p50, p90, p95, p99 = (float(q) for q in np.quantile(values, [0.50, 0.90, 0.95, 0.99]))
    return Quantiles(p50=p50, p90=p90, p95=p95, p99=p99, mean=math.fsum(values) / len(values))
