"""How windows cover the intervals between known moments.

The energy of an interval that windows cover wholly, or not at all, is known exactly. Only an
interval that holds a window's edge makes energy uncertain. Two adjacent windows share such an
interval: the excess of the first is the shortage of the second. Counting per interval, not per
edge, therefore does not overstate the uncertainty of many adjacent windows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Span = tuple[float, float]
"""Start and end on the monotonic clock, in seconds."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Floats, seen from the intervals that hold at least one of their edges.

    Attributes:
        edges_s: Starts and ends of the windows, alternating.
        edge_interval: The interval each edge lies in: *k* is between moments *k* and *k + 1*.
        edge_position: Where in it, from 0 to 1.
        intervals: Every interval with an edge in it, once, in order.
        continues: Whether a window covers that interval's right end and continues.
    """

    edges_s: Floats
    edge_interval: Integers
    edge_position: Floats
    intervals: Integers
    continues: NDArray[np.bool_]

    def ends_less_starts(self, values: Floats) -> Floats:
        """Return, per interval, the sum of ``values`` at its ends less that at its starts."""
        sign = np.where(np.arange(len(values)) % 2, 1.0, -1.0)
        first = np.searchsorted(self.edge_interval, self.intervals)
        total: Floats = np.add.reduceat(sign * values, first)
        return total

    @property
    def fraction(self) -> Floats:
        """The share of each interval that windows cover."""
        share = self.ends_less_starts(self.edge_position) + self.continues
        return np.clip(share, 0.0, 1.0)


def as_windows(spans: Sequence[Span]) -> Floats:
    """Return ``spans`` as an array with a row of start and end for each."""
    return np.asarray(spans, dtype=np.float64).reshape(-1, 2)


def energy_of(until_j: Callable[[Floats], Floats], windows: Floats) -> Floats:
    """Return the energy of each window, from a function that gives the energy until a moment."""
    energy: Floats = np.diff(until_j(windows))[:, 0]
    return energy


def end_of_last_window(
    windows: Floats, moments_s: Floats, side: Literal["left", "right"] = "left"
) -> Floats:
    """Return the end of the last window that begins before each moment; -inf where none does.

    Args:
        windows: Start and end of each, disjoint, in order.
        moments_s: The moments.
        side: ``right`` counts a window that begins exactly at the moment.
    """
    ends_s = np.append(-np.inf, windows[:, 1])
    return ends_s[np.searchsorted(windows[:, 0], moments_s, side=side)]


def interval_of(moments_s: Floats, edges_s: Floats) -> Integers:
    """Return the interval of each edge; an edge on a moment belongs to the interval after it."""
    at = np.searchsorted(moments_s, edges_s, side="right") - 1
    return np.clip(at, 0, len(moments_s) - 2)


def cover(moments_s: Floats, windows: Floats) -> Coverage:
    """Return how ``windows`` cover the intervals between ``moments_s``.

    Args:
        moments_s: Increasing; at least two.
        windows: Start and end of each, disjoint, in order, and contained in the moments.
    """
    edges_s = windows.ravel()
    at = interval_of(moments_s, edges_s)
    intervals = np.unique(at)
    right_s = moments_s[intervals + 1]
    return Coverage(
        edges_s=edges_s,
        edge_interval=at,
        edge_position=(edges_s - moments_s[at]) / np.diff(moments_s)[at],
        intervals=intervals,
        continues=end_of_last_window(windows, right_s) > right_s,
    )
