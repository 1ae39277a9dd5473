"""Energy between two moments from a counter that updates now and then.

Between two updates a counter shows how much energy there was, but not when. If the power stayed
between *a* and *b*, a share *F* of an interval with mean power *m* and width *h* holds at least
``max(aF, m - b(1 - F))·h`` and at most ``min(bF, m - a(1 - F))·h``: the rest of the energy has to
fit into the rest of the interval. That range, taken as a uniform distribution (GUM, JCGM 100:2008,
4.3.7), is the edge's uncertainty. It vanishes in steady load, and covers the truth in a burst.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from llem.api.meters import Series
from llem.energy.coverage import Coverage, Floats, cover, interval_of
from llem.energy.plausibility import resolution_of

_NEIGHBORS = 15
"""Updates on each side whose brackets help to locate an update."""

_RESOLVED = 0.65
"""Largest share of readings with a new value at which the readings are frequent enough to locate
the updates."""

_REGULAR = 0.8
"""Least share of brackets that must contain the update predicted for them."""


@dataclass(frozen=True, slots=True)
class Updates:
    """The moments at which a counter had the values it showed.

    Attributes:
        times_s: When the counter reached each value, increasing.
        values_j: The values.
        period_s: Time between two updates; ``None`` if unknown.
        time_error_s: Standard uncertainty of each moment.
    """

    times_s: Floats
    values_j: Floats
    period_s: float | None
    time_error_s: float


def find_updates(times_s: Floats, values_j: Floats, stated_period_s: float | None) -> Updates:
    """Return the updates behind readings of a counter that never goes back.

    Args:
        times_s: When the counter was read, increasing.
        values_j: The readings.
        stated_period_s: The update period that the meter states.
    """
    new = np.flatnonzero(np.diff(values_j) > 0) + 1
    readings = len(times_s) - 1
    # Where most readings are further apart than this, too many updates go unseen.
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


def _join(parts: list[Updates]) -> Updates | None:
    """Return the updates of successive parts of the readings; ``None`` without any."""
    if len(parts) < 2:
        return parts[0] if parts else None
    best = max(parts, key=lambda part: len(part.times_s))
    return Updates(
        np.concatenate([part.times_s for part in parts]),
        np.concatenate([part.values_j for part in parts]),
        best.period_s,
        max(part.time_error_s for part in parts),
    )


def _as_read(times_s: Floats, values_j: Floats, period_s: float | None) -> Updates:
    """Take each reading as an update, on average half a period old."""
    age_s = 0.0 if period_s is None else period_s / 2
    return Updates(times_s - age_s, values_j, period_s, age_s / math.sqrt(3))


def _locate(before_s: Floats, after_s: Floats, unseen_s: Floats) -> tuple[Floats, float, float]:
    """Return the moment of each update, the period, and the moments' standard uncertainty.

    Args:
        before_s: Start of the bracket of each update.
        after_s: Its end: the reading that shows the update.
        unseen_s: Time since the reading before, which may hide further updates.
    """
    middle_s, width_s = (before_s + after_s) / 2, after_s - before_s
    lag = max(1, min(10, len(middle_s) // 2))
    period_s = float(np.median((middle_s[lag:] - middle_s[:-lag]) / lag))
    # Readings further apart than the period may hide an update; the value is that of the last.
    distance = np.diff(middle_s)
    steps = np.where(unseen_s[1:] > 1.1 * period_s, np.rint(distance / period_s), 1.0)
    # The middles of two successive brackets are no further apart than this.
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
    # Scatter of the middles beyond their brackets' width is the source's own irregularity.
    scatter = float(np.mean((middle_s - located_s) ** 2))
    irregular = max(0.0, scatter - bracket_s**2)
    averaged = min(len(middle_s), 2 * _NEIGHBORS + 1)
    return located_s, float(slope), math.sqrt(irregular + bracket_s**2 / averaged)


def _running_mean(values: Floats) -> Floats:
    """Return the mean over the neighborhood of each value, cut at the ends."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(len(values))
    low = np.maximum(at - _NEIGHBORS, 0)
    high = np.minimum(at + _NEIGHBORS + 1, len(values))
    mean: Floats = (total[high] - total[low]) / (high - low)
    return mean


NEIGHBORHOOD_S = 0.5
"""Distance from an edge within which the least and the greatest power count."""

_MIN_INTERVALS = 3
"""A level in fewer intervals than this may be the mean of a shorter, higher burst."""


@dataclass(frozen=True, slots=True)
class CounterEnergy:
    """A counter's energy as a function of time, between two resets.

    Attributes:
        updates: The updates, with values that never go back.
        power_times_s: When the same device's power was read; may be empty.
        power_w: Those powers, which narrow or widen the range of the power.
        resolution_j: Smallest step of a reading.
    """

    updates: Updates
    power_times_s: Floats
    power_w: Floats
    resolution_j: float

    @property
    def times_s(self) -> Floats:
        """The moments between which energy is known."""
        return self.updates.times_s

    def uncertainty_j(self, windows: Floats) -> float:
        """Return the standard uncertainty of the energy of all windows together."""
        covered = cover(self.times_s, windows)
        power = self._mean_w()
        nearby = np.array([self._nearby(int(at), power) for at in covered.intervals])
        least_w, most_w, mean_w = nearby.T
        under_j, over_j = self._deviations_j(covered, least_w, most_w)
        shape = (over_j**2 - over_j * under_j + under_j**2) / 3
        # Moving the moment on an interval's left or right moves each edge's share of the interval.
        right = covered.ends_less_starts(covered.edge_position)
        left = covered.ends_less_starts(1 - covered.edge_position)
        per_moment = (mean_w * self.updates.time_error_s) ** 2 + self.resolution_j**2 / 12
        return math.sqrt(float(np.sum(shape + per_moment * (left**2 + right**2))))

    def _mean_w(self) -> Floats:
        power: Floats = np.diff(self.updates.values_j) / np.diff(self.times_s)
        return power

    def until_j(self, moments_s: Floats) -> Floats:
        """Return the energy from the first update until each moment.

        Where an interval's mean power lies between the power at its two ends, the load changed
        within, and loads change at once: the power is taken to jump from the first to the
        second at the moment that gives the interval its energy. Elsewhere the power is taken
        as constant. The power at an end is the power read there, or else the mean of the
        interval beyond.
        """
        times_s, values_j = self.times_s, self.updates.values_j
        mean_w, at = self._mean_w(), interval_of(times_s, moments_s)
        width_s, into_s, here_w = np.diff(times_s)[at], moments_s - times_s[at], mean_w[at]
        beyond = mean_w[np.maximum(at - 1, 0)], mean_w[np.minimum(at + 1, len(mean_w) - 1)]
        ends_w = self._power_at_updates()
        read = ends_w[at], ends_w[at + 1]
        # A comparison with a missing reading (NaN) is false.
        by_reading = (here_w - read[0]) * (read[1] - here_w) > 0
        before_w, after_w = (np.where(by_reading, *pair) for pair in zip(read, beyond, strict=True))
        jumps = (here_w - before_w) * (after_w - here_w) > 0
        share = np.divide(
            after_w - here_w, after_w - before_w, out=np.zeros_like(here_w), where=jumps
        )
        until_jump_s = np.minimum(into_s, share * width_s)
        jumping = before_w * until_jump_s + after_w * (into_s - until_jump_s)
        energy: Floats = values_j[at] - values_j[0] + np.where(jumps, jumping, here_w * into_s)
        return energy

    def _power_at_updates(self) -> Floats:
        """Return the power at each update: the first reading after it; NaN without a reading.

        Drivers update power and counter together, and show both until the next update.
        """
        until_s = np.append(self.times_s[1:], np.inf)
        if not len(self.power_times_s):
            return np.full(len(self.times_s), np.nan)
        first = np.searchsorted(self.power_times_s, self.times_s)
        read_s = np.append(self.power_times_s, np.inf)[first]
        return np.where(read_s < until_s, np.append(self.power_w, np.nan)[first], np.nan)

    def _deviations_j(
        self, covered: Coverage, least_w: Floats, most_w: Floats
    ) -> tuple[Floats, Floats]:
        """Return how much less, and how much more, the covered part of each interval may hold."""
        at = covered.intervals
        begin_j = self.updates.values_j[covered.edge_interval] - self.updates.values_j[0]
        whole_j, width_s = np.diff(self.updates.values_j)[at], np.diff(self.times_s)[at]
        taken_j = covered.ends_less_starts(self.until_j(covered.edges_s) - begin_j)
        taken_j += covered.continues * whole_j
        mean_w = whole_j / width_s
        share, rest = covered.fraction, 1 - covered.fraction
        low_j = np.maximum(least_w * share, mean_w - most_w * rest) * width_s
        high_j = np.minimum(most_w * share, mean_w - least_w * rest) * width_s
        return np.maximum(taken_j - low_j, 0.0), np.maximum(high_j - taken_j, 0.0)

    def _nearby(self, at: int, power: Floats) -> tuple[float, float, float]:
        """Return the least, greatest and mean power around interval ``at``.

        The range spans the extremes in the neighborhood. An extreme that did not last is extended
        by the whole range: an interval's mean hides a burst that is shorter than the interval.
        """
        begin_s = self.times_s[at] - NEIGHBORHOOD_S
        end_s = self.times_s[at + 1] + NEIGHBORHOOD_S
        first = int(np.searchsorted(self.times_s, begin_s, side="left"))
        last = int(np.searchsorted(self.times_s, end_s, side="right")) - 1
        near = power[min(first, at) : max(last, at + 1)]
        read_w = self.power_w[slice(*np.searchsorted(self.power_times_s, (begin_s, end_s)))]
        least_w = float(min(np.min(near), np.min(read_w, initial=math.inf)))
        most_w = float(max(np.max(near), np.max(read_w, initial=-math.inf)))
        reach_w = most_w - least_w
        if np.count_nonzero(near >= most_w - reach_w / 10) < _MIN_INTERVALS:
            most_w += reach_w
        if np.count_nonzero(near <= least_w + reach_w / 10) < _MIN_INTERVALS:
            least_w = max(0.0, least_w - reach_w)
        return least_w, most_w, float(np.mean(near))


def unbroken_stretches(
    series: Series, power_times_s: Floats, power_w: Floats
) -> Iterator[CounterEnergy]:
    """Yield one function of time for each stretch in which the counter did not go back.

    A counter that wraps continues; any other step back is a reset, which loses the energy between
    the two readings, as any other break does.
    """
    channel, times_s, values_j = series.channel, np.asarray(series.times_s), series.values
    step_j = np.diff(values_j)
    wraps_at_j = channel.wraps_at_j or 0.0
    step_j = np.where((step_j < 0) & (step_j + wraps_at_j >= 0), step_j + wraps_at_j, step_j)
    resets = np.flatnonzero((step_j < 0) | np.isin(times_s[1:], series.breaks))
    begins, ends = [0, *(resets + 1)], [*(resets + 1), len(times_s)]
    for begin, end in zip(begins, ends, strict=True):
        if end - begin < 2:
            continue
        total_j = np.concatenate(([0.0], np.cumsum(step_j[begin : end - 1])))
        # A counter keeps no step while it stands still, so its updates are found on either side.
        ends_s = [end_s for _, end_s in series.standing]
        parts = np.flatnonzero(np.isin(times_s[begin:end], ends_s))
        updates = _join(
            [
                find_updates(times_s[begin:end][part], total_j[part], channel.update_period_s)
                for part in np.split(np.arange(end - begin), parts)
                if len(part) > 1
            ]
        )
        if updates is None:
            continue
        yield CounterEnergy(updates, power_times_s, power_w, resolution_of(series))
