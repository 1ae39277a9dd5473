"""When a counter was renewed, found from the readings that show its steps.

A counter that is renewed every 100 ms and read every 50 ms shows each value about twice. What it
says is true of the moment of its last renewal, not of the reading: taking one for the other is
wrong by up to a whole period at each edge of a window.

The readings on both sides of a step enclose the renewal. Its moments are regular, so that many
such brackets together locate them far better than one: a straight line through the brackets'
middles gives period and phase, and the running mean of what remains follows a source that is not
perfectly regular. Where the line leaves the brackets, the source is irregular, and the middles
stand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from llem.measure.coverage import Floats

_NEIGHBOURS = 15
"""Renewals on each side whose brackets help to locate one."""

_RESOLVED = 0.65
"""Largest share of readings with a new value at which readings come so much more often than
renewals that they can locate them."""

_REGULAR = 0.8
"""Least share of brackets that must contain the renewal predicted for them."""


@dataclass(frozen=True, slots=True)
class Updates:
    """The moments at which a counter had the values it showed.

    Attributes:
        times_s: When each value was reached, increasing.
        values_j: The values.
        period_s: Time between two renewals; ``None`` if unknown.
        time_error_s: Standard uncertainty of each moment.
    """

    times_s: Floats
    values_j: Floats
    period_s: float | None
    time_error_s: float


def find_updates(times_s: Floats, values_j: Floats, stated_period_s: float | None) -> Updates:
    """Return the renewals behind readings of a counter that never goes back.

    Args:
        times_s: When it was read, increasing.
        values_j: What it showed.
        stated_period_s: Its update period as its meter states it.
    """
    new = np.flatnonzero(np.diff(values_j) > 0) + 1
    readings = len(times_s) - 1
    # Where readings are mostly further apart than this, too many renewals go unseen.
    apart_s = float(np.median(np.diff(times_s)))
    seldom = stated_period_s is not None and apart_s > 0.8 * stated_period_s
    if seldom or len(new) < 3 or len(new) > _RESOLVED * readings:
        return _as_read(times_s, values_j, stated_period_s)
    before_s, after_s = times_s[new - 1], times_s[new]
    unseen_s = after_s - before_s
    if stated_period_s is not None:
        # A value seen after a long gap is at most one period old.
        before_s = np.maximum(before_s, after_s - stated_period_s)
    located_s, period_s, error_s = _locate(before_s, after_s, unseen_s)
    return Updates(np.clip(located_s, before_s, after_s), values_j[new], period_s, error_s)


def _as_read(times_s: Floats, values_j: Floats, period_s: float | None) -> Updates:
    """Take each reading as one renewal, on average half a period old."""
    age_s = 0.0 if period_s is None else period_s / 2
    return Updates(times_s - age_s, values_j, period_s, age_s / math.sqrt(3))


def _locate(before_s: Floats, after_s: Floats, unseen_s: Floats) -> tuple[Floats, float, float]:
    """Return each renewal's moment, the period, and the moments' standard uncertainty.

    Args:
        before_s: Where the bracket of each renewal begins.
        after_s: Where it ends: the reading that shows it.
        unseen_s: Time since the reading before, in which there may have been others.
    """
    middle_s, width_s = (before_s + after_s) / 2, after_s - before_s
    lag = max(1, min(10, len(middle_s) // 2))
    period_s = float(np.median((middle_s[lag:] - middle_s[:-lag]) / lag))
    # Two readings further apart than the period may hide a renewal; the value is the last one's.
    distance = np.diff(middle_s)
    steps = np.where(unseen_s[1:] > 1.1 * period_s, np.rint(distance / period_s), 1.0)
    # Between the middles of two successive renewals' brackets there is no more than this.
    one_step_s = 1.02 * period_s + (width_s[1:] + width_s[:-1]) / 2
    steps = np.where(distance > one_step_s, np.rint(distance / period_s), steps)
    number = np.concatenate(([0.0], np.cumsum(np.maximum(steps, 1.0))))
    slope, offset = np.polyfit(number, middle_s - middle_s[0], 1)
    line_s = middle_s[0] + offset + slope * number
    located_s = line_s + _running_mean(middle_s - line_s)
    within = np.abs(located_s - middle_s) <= width_s / 2
    bracket_s = math.sqrt(float(np.mean(width_s**2)) / 12)
    if np.mean(within) < _REGULAR:
        return middle_s, float(slope), bracket_s
    # What the middles scatter beyond their brackets' width is the source's own irregularity.
    scatter = float(np.mean((middle_s - located_s) ** 2))
    irregular = max(0.0, scatter - bracket_s**2)
    averaged = min(len(middle_s), 2 * _NEIGHBOURS + 1)
    return located_s, float(slope), math.sqrt(irregular + bracket_s**2 / averaged)


def _running_mean(values: Floats) -> Floats:
    """Return the mean over each value's neighbourhood, which is cut at the ends."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(len(values))
    low = np.maximum(at - _NEIGHBOURS, 0)
    high = np.minimum(at + _NEIGHBOURS + 1, len(values))
    mean: Floats = (total[high] - total[low]) / (high - low)
    return mean
