"""Idle power: its mean, its standard error, and its drift."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from llem.api.meters import Series
from llem.energy.coverage import Span
from llem.energy.integrate import integrate

BLOCKS = 4
"""Equal parts of an idle span whose means are compared."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Idle power of one domain.

    Attributes:
        duration_s: How long it was metered.
        power_w: Mean power.
        standard_error_w: Of that mean, from the readings' own uncertainty and from the scatter
            of the span's parts about their trend.
        drift_w: Mean of the second half less that of the first.
        age_s: Time between metering and use; 0 within the run that uses it.
    """

    duration_s: float
    power_w: float
    standard_error_w: float
    drift_w: float
    age_s: float = 0.0


def idle_power(series: Series, span: Span | None, power: Series | None = None) -> Idle | None:
    """Return the idle power over ``span``, as far as readings cover it.

    Args:
        series: Readings of one channel.
        span: When the machine idled; ``None`` if idle power was not metered.
        power: Readings of the same device's power, as in :func:`integrate`.
    """
    if span is None or len(series.times_s) < 2:
        return None
    # A value lags behind by its age, so the energy is known from a little after the first reading.
    start_s = max(span[0], series.times_s[0] + max_age_s(series))
    end_s = min(span[1], series.times_s[-1] - max_age_s(series))
    if end_s <= start_s:
        return None
    width_s = (end_s - start_s) / BLOCKS
    blocks = list(pairwise(np.linspace(start_s, end_s, BLOCKS + 1)))
    parts = integrate(series, blocks, power)
    means_w = [energy_j / width_s for energy_j in parts.window_j if energy_j is not None]
    if len(means_w) < BLOCKS:
        return None
    trend = statistics.linear_regression(range(BLOCKS), means_w)
    residuals_w = [mean_w - trend.intercept - trend.slope * at for at, mean_w in enumerate(means_w)]
    # The trend takes two of the degrees of freedom.
    scatter_w = math.sqrt(
        math.fsum(residual_w**2 for residual_w in residuals_w) / (BLOCKS - 2) / BLOCKS
    )
    half = BLOCKS // 2
    return Idle(
        duration_s=end_s - start_s,
        power_w=statistics.fmean(means_w),
        standard_error_w=math.hypot(scatter_w, parts.uncertainty_j / (end_s - start_s)),
        drift_w=statistics.fmean(means_w[half:]) - statistics.fmean(means_w[:half]),
    )


def max_age_s(series: Series) -> float:
    """Return how old a value of ``series`` is at most when it is read."""
    return (series.channel.update_period_s or 0.0) + (series.channel.averaged_over_s or 0.0)


def sum_of_idles(idles: Sequence[Idle | None]) -> Idle | None:
    """Return the idle power of several domains, whose errors are independent."""
    known = [idle for idle in idles if idle is not None]
    if not known or len(known) < len(idles):
        return None
    return Idle(
        duration_s=min(idle.duration_s for idle in known),
        power_w=math.fsum(idle.power_w for idle in known),
        standard_error_w=math.hypot(*(idle.standard_error_w for idle in known)),
        drift_w=math.fsum(idle.drift_w for idle in known),
        age_s=max(idle.age_s for idle in known),
    )
