"""How far a source that stands in for a counter can be trusted: as far as they agreed before."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from llem.api.meter import Series
from llem.measure.integrate import STUCK_PERIODS, energy_in

_LEAST_S = 1.0
"""Shorter stretches tell nothing about how two sources agree."""


def mismatch_ratio(counter: Series, other: Series) -> float:
    """Return by how much ``other`` differed from ``counter``, as a share, while that counted.

    Sampled power cannot show what happens between its samples; a counter beside it can, as long
    as it works. The longest stretch in which it did not go back is compared; 0 where there is
    none that is long enough.
    """
    if len(counter.times_s) < STUCK_PERIODS or len(other.times_s) < STUCK_PERIODS:
        return 0.0
    times_s = np.asarray(counter.times_s)
    breaks = np.flatnonzero(np.diff(counter.values) < 0)
    edges = [0, *(breaks + 1), len(times_s)]
    stretches = [(times_s[a], times_s[b - 1]) for a, b in pairwise(edges)]
    start_s, end_s = max(stretches, key=lambda one: one[1] - one[0])
    age_s = _age_s(counter) + _age_s(other)
    start_s = max(float(start_s), other.times_s[0]) + age_s
    end_s = min(float(end_s), other.times_s[-1]) - age_s
    if end_s - start_s < _LEAST_S:
        return 0.0
    counted_j, read_j = energy_in(counter, start_s, end_s), energy_in(other, start_s, end_s)
    if not counted_j or read_j is None:
        return 0.0
    return abs(read_j / counted_j - 1)


def _age_s(series: Series) -> float:
    return (series.channel.update_period_s or 0.0) + (series.channel.averaged_over_s or 0.0)
