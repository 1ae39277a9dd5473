"""Energy of one channel over windows, with its uncertainty and the flaws of its readings.

Energy needs readings on both sides of every edge; without them it is unavailable, not 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from llem.api.meters import Provenance, Quantity, Series
from llem.energy.coverage import Floats, Integers, Span, as_windows, end_of_last_window, energy_of
from llem.energy.energy_counter import CounterEnergy, unbroken_stretches
from llem.energy.plausibility import resolution_of, standing_in
from llem.energy.power_curve import AveragedEnergy, PowerEnergy
from llem.energy.statistics import total

GAP_PERIODS, MIN_GAP_S = 5.0, 0.5
"""Two readings leave a gap where they are further apart than this many median periods, and than
this time: the jitter of a quick sampler on a busy machine is no gap."""

AVERAGED_OVER_S = 1.0
"""Time over which averaged power is averaged where the channel does not state it."""


class EnergyOfTime(Protocol):
    """Energy as a function of time, known between its first moment and its last."""

    @property
    def times_s(self) -> Floats:
        """The moments between which energy is known."""

    def until_j(self, moments_s: Floats) -> Floats:
        """Return the energy from some fixed moment until each of ``moments_s``."""

    def uncertainty_j(self, windows: Floats) -> float:
        """Return the standard uncertainty of the energy of all windows together."""


@dataclass(frozen=True, slots=True)
class Integral:
    """Energy of one channel over some windows.

    Attributes:
        window_j: Energy of each window; ``None`` where the readings do not cover it.
        uncertainty_j: Standard uncertainty of the sum of the known energies, sensor gain apart.
        update_period_s: Update period of the source, as its readings show it.
        gap_s: Window time in stretches without readings.
        missed: How often the source did not answer within the windows.
        reset: Whether a counter went back within a window.
        rejected: Number of readings within the windows that no such device can give.
        stood_s: How long a counter stood still around or within the windows.
    """

    window_j: tuple[float | None, ...]
    uncertainty_j: float = 0.0
    update_period_s: float | None = None
    gap_s: float = 0.0
    missed: int = 0
    reset: bool = False
    rejected: int = 0
    stood_s: float = 0.0

    @property
    def energy_j(self) -> float | None:
        """The energy of all windows, or ``None`` as soon as one of them is unavailable."""
        return total(self.window_j)


def integrate(series: Series, windows: Sequence[Span], power: Series | None = None) -> Integral:
    """Return the energy of ``series`` in each of ``windows``.

    Args:
        series: Readings of one channel.
        windows: Disjoint, in order of time.
        power: Readings of the same device's power, which show its range around an edge.
    """
    times_s, spans = np.asarray(series.times_s), as_windows(windows)
    functions = list(_functions(series, power))
    window_j: list[float | None] = [None] * len(spans)
    flaws = Integral(
        tuple(window_j),
        missed=_within(series.failures, spans),
        rejected=_within(series.rejected, spans),
        stood_s=sum(stood_s for stood_s, _ in standing_in(series, spans)),
    )
    if not functions or not window_j:
        return flaws
    is_counter = series.channel.quantity is Quantity.ENERGY
    may_be_0 = not is_counter or series.provenance is Provenance.ESTIMATED
    variance, period_s = 0.0, series.channel.update_period_s
    for function, covered in _covering(functions, spans):
        for at, energy_j in zip(covered, energy_of(function.until_j, spans[covered]), strict=True):
            # A counter that did not move says nothing: a powered device never uses 0 J.
            window_j[at] = float(energy_j) if energy_j or may_be_0 else None
        variance += function.uncertainty_j(spans[covered]) ** 2
        if isinstance(function, CounterEnergy):
            period_s = function.updates.period_s
    return replace(
        flaws,
        window_j=tuple(window_j),
        uncertainty_j=math.sqrt(variance),
        update_period_s=period_s,
        gap_s=_gap_s(series, times_s, spans),
        reset=any(
            start_s < function.times_s[0] < end_s
            for function in functions[1:]
            for start_s, end_s in windows
        ),
    )


def _within(moments_s: Sequence[float], windows: Floats) -> int:
    """Return how many of the moments lie in a window."""
    moments = np.asarray(moments_s)
    return int(np.sum(moments <= end_of_last_window(windows, moments, "right")))


def energy_in(series: Series, start_s: float, end_s: float) -> float | None:
    """Return the energy between two moments, or ``None`` where the readings do not cover them."""
    return integrate(series, [(start_s, end_s)]).energy_j


def _covering(
    functions: Iterable[EnergyOfTime], windows: Floats
) -> Iterator[tuple[EnergyOfTime, Integers]]:
    """Yield each function that knows windows, with the numbers of those windows."""
    start_s, end_s = windows.T
    for function in functions:
        first_s, last_s = function.times_s[[0, -1]]
        covered = np.flatnonzero((first_s <= start_s) & (start_s < end_s) & (end_s <= last_s))
        if len(covered):
            yield function, covered


def _functions(series: Series, power: Series | None = None) -> Iterator[EnergyOfTime]:
    """Yield the functions that stretches of the readings give; none with fewer than two."""
    channel, times_s, values = series.channel, np.asarray(series.times_s), np.asarray(series.values)
    if len(times_s) < 2:
        return
    if channel.quantity is Quantity.ENERGY:
        near = (power.times_s, power.values) if power is not None else ((), ())
        yield from unbroken_stretches(series, *map(np.asarray, near))
        return
    # A reading is valid for the moment of its last update: on average half a period earlier.
    period_s = channel.update_period_s or 0.0
    readings = PowerEnergy(
        times_s - period_s / 2,
        values,
        update_period_s=period_s,
        resolution_w=resolution_of(series),
        gap_s=min_gap_s(times_s),
    )
    if channel.quantity is Quantity.POWER:
        yield readings
    else:
        yield AveragedEnergy(readings, channel.averaged_over_s or AVERAGED_OVER_S)


def median_period_s(times_s: Floats) -> float:
    """Return the median time between two readings."""
    return float(np.median(np.diff(times_s)))


def min_gap_s(times_s: Floats) -> float:
    """Return the smallest distance of two readings that counts as a gap."""
    return max(MIN_GAP_S, GAP_PERIODS * median_period_s(times_s))


def _gap_s(series: Series, times_s: Floats, windows: Floats) -> float:
    """Return how much of ``windows`` lies in gaps that make energy uncertain.

    A counter continues to count between readings, so only a gap at an edge matters.
    """
    total_s = 0.0
    for at in np.flatnonzero(np.diff(times_s) > min_gap_s(times_s)):
        begin_s, end_s = times_s[at], times_s[at + 1]
        touched = windows
        if series.channel.quantity is Quantity.ENERGY:
            touched = windows[(windows[:, 0] > begin_s) | (windows[:, 1] < end_s)]
        total_s += float(np.sum(np.diff(np.clip(touched, begin_s, end_s))))
    return total_s


_BESIDE_S = 0.25
"""Time beside a standstill that gives no peak: updates there are located less well."""

_STEPS = 50
"""Positions of the moving part within its own length: a jump of power loses at most 1 %."""


def peak_w(
    domains: Sequence[Sequence[Series]], window: tuple[float, float], over_s: float
) -> float | None:
    """Return the greatest mean power, of all domains together, over any ``over_s`` of the window.

    A mean over a stated time does not depend on the kind of reading and its update period; the
    greatest reading does.

    Args:
        domains: The sources of different domains, the most trusted first.
        window: Start and end on the monotonic clock.
        over_s: Length of the moving part; at most that of the window.

    Returns:
        Watts; ``None`` where the readings do not cover the window.
    """
    start_s, end_s = window
    if not domains or over_s <= 0:
        return None
    steps = max(1, math.ceil((end_s - start_s - over_s) / (over_s / _STEPS)))
    begins_s = np.linspace(start_s, end_s - over_s, steps + 1)
    parts = np.column_stack((begins_s, begins_s + over_s))
    part_j = np.full((len(domains), len(parts)), np.nan)
    for sources, domain_j in zip(domains, part_j, strict=True):
        for source in sources:
            source_j = np.full(len(parts), np.nan)
            for function, covered in _covering(_functions(source), parts):
                source_j[covered] = energy_of(function.until_j, parts[covered])
            # When a late counter caught up is known to a few percent of a second only.
            beside = np.column_stack((parts[:, 0] - _BESIDE_S, parts[:, 1] + _BESIDE_S))
            for _, touched in standing_in(source, beside):
                source_j[touched] = np.nan
            missing = np.isnan(domain_j)
            domain_j[missing] = np.where(source_j > 0, source_j, np.nan)[missing]
    peak = float(np.max(np.sum(part_j, axis=0))) / over_s
    return None if math.isnan(peak) else peak
