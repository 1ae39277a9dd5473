"""Energy of one channel over one window, with its uncertainty.

A counter's energy is the difference of its readings, interpolated to the window's exact edges.
A power's energy is the trapezoid under its readings, edges interpolated. In both cases readings
outside the window are needed next to its edges: without them the energy is unavailable, not 0.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from llem.api.meter import Quantity, Series

GAP_PERIODS = 5.0
"""Two readings further apart than this many median periods leave a gap between them."""


@dataclass(frozen=True, slots=True)
class WindowEnergy:
    """Energy of one channel over one window.

    Attributes:
        energy_j: The energy; ``None`` where the readings do not cover the window.
        uncertainty_j: Its standard uncertainty from edges and resolution, sensor gain apart.
        gaps: How many stretches without readings were bridged.
        reset: Whether the counter went back within the window.
    """

    energy_j: float | None
    uncertainty_j: float | None = None
    gaps: int = 0
    reset: bool = False


UNAVAILABLE = WindowEnergy(energy_j=None)


def energy_in(series: Series, start_s: float, end_s: float) -> WindowEnergy:
    """Return the energy of ``series`` between two moments of the monotonic clock.

    Uncertainty (standard, in joules): each edge lies between two readings, and its position
    within the step between them is unknown by up to the step itself, so half the difference
    of the two, taken as a uniform distribution, enters once per edge; the resolution of a
    reading enters likewise (GUM, JCGM 100:2008, 4.3.7: half-width divided by the square root
    of 3).
    """
    times = series.times_s
    first = bisect_right(times, start_s) - 1
    last = bisect_left(times, end_s)
    if end_s <= start_s or first < 0 or last >= len(times) or last <= first:
        return UNAVAILABLE
    times, values = times[first : last + 1], series.values[first : last + 1]
    gaps = _gaps(times, _median_period_s(series.times_s))
    if series.channel.quantity is Quantity.ENERGY:
        return _counted(series, times, values, start_s, end_s, gaps)
    return _integrated(series, times, values, start_s, end_s, gaps)


def _counted(
    series: Series,
    times: Sequence[float],
    values: Sequence[float],
    start_s: float,
    end_s: float,
    gaps: int,
) -> WindowEnergy:
    wraps_at = series.channel.wraps_at_j
    total, cumulative = 0.0, [0.0]
    for before, after in pairwise(values):
        step = after - before
        if step < 0:
            # One wrap is expected of a counter that wraps; anything else went back.
            if wraps_at is None or step + wraps_at < 0:
                return WindowEnergy(energy_j=None, gaps=gaps, reset=True)
            step += wraps_at
        total += step
        cumulative.append(total)
    energy = _at(times, cumulative, end_s) - _at(times, cumulative, start_s)
    edges = (cumulative[1] - cumulative[0], cumulative[-1] - cumulative[-2])
    resolution = series.channel.resolution or 0.0
    return WindowEnergy(energy, _uncertainty(edges, resolution), gaps)


def _integrated(
    series: Series,
    times: Sequence[float],
    values: Sequence[float],
    start_s: float,
    end_s: float,
    gaps: int,
) -> WindowEnergy:
    points = [(start_s, _at(times, values, start_s))]
    points += [
        (moment, value)
        for moment, value in zip(times, values, strict=True)
        if start_s < moment < end_s
    ]
    points.append((end_s, _at(times, values, end_s)))
    energy = math.fsum(
        (after_s - before_s) * (before + after) / 2
        for (before_s, before), (after_s, after) in pairwise(points)
    )
    first_s, last_s = times[1] - times[0], times[-1] - times[-2]
    edges = (abs(values[1] - values[0]) * first_s, abs(values[-1] - values[-2]) * last_s)
    # A constant offset of the reading would last the whole window.
    resolution = (series.channel.resolution or 0.0) * (end_s - start_s)
    return WindowEnergy(energy, _uncertainty(edges, resolution), gaps)


def _uncertainty(edges_j: Sequence[float], resolution_j: float) -> float:
    half_widths = [edge / 2 for edge in edges_j] + [resolution_j / 2]
    return math.sqrt(sum(half_width**2 / 3 for half_width in half_widths))


def _at(times: Sequence[float], values: Sequence[float], moment_s: float) -> float:
    """Return the value at ``moment_s``, on the line between its two neighbours."""
    after = bisect_left(times, moment_s)
    if times[after] == moment_s:
        return values[after]
    before = after - 1
    share = (moment_s - times[before]) / (times[after] - times[before])
    return values[before] + share * (values[after] - values[before])


def _median_period_s(times: Sequence[float]) -> float:
    # A few hundred periods tell the median as well as all of them.
    stride = max(1, len(times) // 256)
    periods = sorted(times[at + 1] - times[at] for at in range(0, len(times) - 1, stride))
    return periods[len(periods) // 2]


def _gaps(times: Sequence[float], period_s: float) -> int:
    return sum(_is_gap(pair, period_s) for pair in pairwise(times))


def _is_gap(pair: tuple[float, float], period_s: float) -> bool:
    return pair[1] - pair[0] > GAP_PERIODS * period_s


def gap_seconds(series: Series, windows: Sequence[tuple[float, float]]) -> float:
    """Return how much of ``windows`` lies in stretches without readings."""
    if len(series.times_s) < 2:
        return 0.0
    period_s = _median_period_s(series.times_s)
    gaps = [pair for pair in pairwise(series.times_s) if _is_gap(pair, period_s)]
    return math.fsum(_overlaps(gaps, windows))


def _overlaps(
    gaps: Sequence[tuple[float, float]], windows: Sequence[tuple[float, float]]
) -> Iterator[float]:
    for gap_start_s, gap_end_s in gaps:
        for start_s, end_s in windows:
            yield max(0.0, min(gap_end_s, end_s) - max(gap_start_s, start_s))
