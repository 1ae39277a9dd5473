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
