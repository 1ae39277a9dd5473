"""Whether readings can be true: samples beyond a device's limit, and counters that stand still.

Single readings that no such device can give are left out and counted. A counter that stands still
is judged over the whole run: a span that is too short to tell gets no energy of 0. A source that is
wrong throughout is left as it is, so that the reasons about its row can say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.energy.coverage import Floats, Integers

STUCK_PERIODS = 10
"""A counter that did not move for this many periods, of updates or of readings, stands still."""

GREATEST_W = {"host": 100_000.0}
"""No device of this kind draws more; whole machines and racks are read as ``host``."""

GREATEST_DEVICE_W = 3000.0
"""No single device of another kind draws more: a judgement, twice today's largest accelerators."""

REJECT_RATIO = 2.0
"""A reading of more than this many times the limit is no peak of load but a fault."""

_FEW_RATIO, _FEW = 0.02, 4
"""Faults in more than this share of the readings, and in more than this many, are no single ones:
the source is wrong as a whole."""

_RETURN_S = 1.0
"""Within this time a counter's single faults are over; a reset stays."""

_LATE_PERIODS = 3.5
"""A counter that did not move for this many periods is late: it may have lost energy."""

_NEAR_S = 1.0
"""Time beside a standstill whose power tells whether the counter caught up."""

_CAUGHT_UP_RATIO = 0.5
"""Least power over a standstill, as a share of the lower power beside it."""


def device_kind(device: str) -> str:
    """Return the kind in a device id such as ``cuda:GPU-…``."""
    return device.partition(":")[0]


def limit_w(channel: Channel) -> float:
    """Return the greatest power that a domain may draw: as its meter declares, or of its kind."""
    greatest_w = GREATEST_W.get(device_kind(channel.device), GREATEST_DEVICE_W)
    return min(channel.max_w, greatest_w) if channel.max_w else greatest_w


def typical_period_s(channel: Channel, times_s: Floats, values: Floats) -> float:
    """Return the time between two new values: stated, or as the readings show it."""
    reading_s = float(np.median(np.diff(times_s)))
    if channel.update_period_s is not None:
        return max(channel.update_period_s, reading_s)
    new_s = times_s[1:][np.diff(values) != 0]
    return max(float(np.median(np.diff(new_s))), reading_s) if len(new_s) > 2 else reading_s


def checked(series: Series) -> Series:
    """Return ``series`` without readings that cannot be true; an estimate may well stand still."""
    if len(series.times_s) < 2 or series.provenance is Provenance.ESTIMATED:
        return series
    times_s, values = np.asarray(series.times_s), np.asarray(series.values)
    if series.channel.quantity is Quantity.ENERGY:
        return _checked_counter(series, times_s, values)
    if not np.any(values):
        # A powered device draws more than 0 W: this source says nothing.
        return _kept(series, np.zeros(len(values), bool), standing=[(times_s[0], times_s[-1])])
    bound_w = REJECT_RATIO * limit_w(series.channel)
    possible = np.isfinite(values) & (values >= 0) & (values <= bound_w)
    if np.all(possible) or not _are_few(int(np.sum(~possible)), len(values)):
        return series
    return _kept(series, possible, rejected=times_s[~possible].tolist())


def _kept(
    series: Series,
    keep: NDArray[np.bool_],
    *,
    rejected: list[float] | None = None,
    standing: list[tuple[float, float]] | None = None,
    breaks: list[float] | None = None,
) -> Series:
    return replace(
        series,
        times_s=np.asarray(series.times_s)[keep].tolist(),
        values=np.asarray(series.values)[keep].tolist(),
        rejected=[*series.rejected, *(rejected or ())],
        standing=[*series.standing, *(standing or ())],
        breaks=[*series.breaks, *(breaks or ())],
    )


def _are_few(faults: int, readings: int) -> bool:
    return faults <= max(_FEW, _FEW_RATIO * readings)


def _checked_counter(series: Series, times_s: Floats, values: Floats) -> Series:
    period_s = typical_period_s(series.channel, times_s, values)
    # First, because a counter that catches up seems to jump.
    series = _without_standstills(series, times_s, values, period_s)
    times_s, values = np.asarray(series.times_s), np.asarray(series.values)
    keep, breaks = _without_faults(series.channel, times_s, values, period_s)
    if np.all(keep) and not breaks:
        return series
    return _kept(series, keep, rejected=times_s[~keep].tolist(), breaks=breaks)


def _without_standstills(
    series: Series, times_s: Floats, values: Floats, period_s: float
) -> Series:
    """Return ``series`` with one reading of each value that stood for too long."""
    # A run of equal values is as long as the time between its first and last reading.
    changes = np.flatnonzero(np.diff(values)) + 1
    firsts, lasts = np.append(0, changes), np.append(changes - 1, len(values) - 1)
    late = times_s[lasts] - times_s[firsts] > _LATE_PERIODS * period_s
    if not np.any(late):
        return series
    keep, breaks, standing = np.ones(len(values), bool), [], []
    for first, last in zip(map(int, firsts[late]), map(int, lasts[late]), strict=True):
        keep[first + 1 : last + 1] = False
        lost = last + 1 == len(values) or not _caught_up(times_s, values, first, last + 1)
        if first == 0:
            keep[0] = times_s[last] - times_s[0] <= STUCK_PERIODS * period_s
        elif lost and last + 1 < len(values):
            breaks.append(float(times_s[last + 1]))
        standing.append((float(times_s[first]), float(times_s[min(last + 1, len(values) - 1)])))
    return _kept(series, keep, standing=standing, breaks=breaks)


def _caught_up(times_s: Floats, values: Floats, first: int, after: int) -> bool:
    """Return whether the counter holds the energy of the standstill from ``first`` to ``after``."""
    stood_w = (values[after] - values[first]) / (times_s[after] - times_s[first])
    before = int(np.searchsorted(times_s, times_s[first] - _NEAR_S))
    beyond = int(np.searchsorted(times_s, times_s[after] + _NEAR_S, side="right")) - 1
    beside_w = [
        (values[end] - values[begin]) / (times_s[end] - times_s[begin])
        for begin, end in ((before, first), (after, beyond))
        if end > begin
    ]
    return not beside_w or bool(stood_w >= _CAUGHT_UP_RATIO * min(beside_w))


def _without_faults(
    channel: Channel, times_s: Floats, values: Floats, period_s: float
) -> tuple[NDArray[np.bool_], list[float]]:
    """Return which readings of a counter may be true, and the times of jumps that stay.

    A fault is a reading that the counter cannot reach from the reading before, while it soon goes
    on from there. A jump that stays is a reset, and loses the energy of one step.
    """
    bound_w, wraps_at_j = REJECT_RATIO * limit_w(channel), channel.wraps_at_j or 0.0
    keep = np.isfinite(values)
    if wraps_at_j:
        keep &= values <= wraps_at_j

    def follows(before: Integers, after: Integers) -> NDArray[np.bool_]:
        step_j = values[after] - values[before]
        step_j = np.where((step_j < 0) & (step_j + wraps_at_j >= 0), step_j + wraps_at_j, step_j)
        possible_j = bound_w * (times_s[after] - times_s[before] + period_s)
        return np.asarray((step_j >= 0) & (step_j <= possible_j))

    kept = np.flatnonzero(keep)
    if len(kept) < 2:
        return keep, []
    goes_on = follows(kept[:-1], kept[1:])
    if np.all(keep) and np.all(goes_on):
        return keep, []
    breaks: list[float] = []
    for last, at in zip(kept[:-1][~goes_on], kept[1:][~goes_on], strict=True):
        before = int(last)
        while not keep[before] and before > 0:
            before -= 1
        for reading in range(int(at), len(values)):
            if not keep[reading]:
                continue
            if follows(np.asarray(before), np.asarray(reading)):
                break
            if not np.any(follows(np.asarray(before), _soon(times_s, reading))):
                # A step back is seen as such.
                if values[reading] > values[before]:
                    breaks.append(float(times_s[reading]))
                break
            keep[reading] = False
    if not _are_few(int(np.sum(~keep)) + len(breaks), len(values)):
        return np.ones(len(values), bool), []
    return keep, breaks


def _soon(times_s: Floats, at: int) -> Integers:
    """Return the readings in the next moments after reading ``at``."""
    return np.arange(at + 1, int(np.searchsorted(times_s, times_s[at] + _RETURN_S, side="right")))


def smallest_step(values: Floats) -> float:
    """Return the decimal place in which readings are written, at most 1: their resolution."""
    finite = values[np.isfinite(values)]
    for places in range(7):
        scaled = finite * 10**places
        if np.all(np.abs(scaled - np.rint(scaled)) < 1e-6 * np.maximum(1.0, np.abs(scaled) / 1e6)):
            return float(10.0**-places)
    return 0.0


def resolution_of(series: Series) -> float:
    """Return the resolution that the channel states, or else the one its readings show."""
    stated = series.channel.resolution
    return smallest_step(np.asarray(series.values)) if stated is None else stated


def standing_in(series: Series, windows: Floats) -> Iterator[tuple[float, NDArray[np.bool_]]]:
    """Yield each standstill of a counter that overlaps windows: its length, and which windows."""
    for start_s, end_s in series.standing:
        touched = (windows[:, 0] < end_s) & (windows[:, 1] > start_s)
        if np.any(touched):
            yield end_s - start_s, touched
