"""How windows cover the intervals between known moments.

The energy of an interval that windows cover wholly, or not at all, is known exactly. Only an
interval that holds a window's edge makes energy uncertain. Two adjacent windows share such an
interval: the excess of the first is the shortage of the second. Counting per interval, not per
edge, therefore does not overstate the uncertainty of many adjacent windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Span = tuple[float, float]
"""Start and end on the monotonic clock, in seconds."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Windows, seen from the intervals that hold at least one of their edges.

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
        group = np.searchsorted(self.intervals, self.edge_interval)
        total: Floats = np.bincount(
            group, weights=sign * values, minlength=len(self.intervals)
        ).astype(np.float64)
        return total

    @property
    def fraction(self) -> Floats:
        """The share of each interval that windows cover."""
        share = self.ends_less_starts(self.edge_position) + self.continues
        return np.clip(share, 0.0, 1.0)


def as_edges(windows: Sequence[Span]) -> Floats:
    """Return ``windows`` as an array of starts and ends."""
    return np.asarray(windows, dtype=np.float64).reshape(-1, 2)


def contains(moments_s: Floats, window: Span) -> bool:
    """Return whether ``window`` is not empty and lies between the first and the last moment."""
    start_s, end_s = window
    return len(moments_s) > 1 and bool(moments_s[0] <= start_s < end_s <= moments_s[-1])


def interval_of(moments_s: Floats, edges_s: Floats) -> Integers:
    """Return the interval of each edge; an edge on a moment belongs to the interval after it."""
    at = np.searchsorted(moments_s, edges_s, side="right") - 1
    return np.clip(at, 0, len(moments_s) - 2)


def cover(moments_s: Floats, windows: Sequence[Span]) -> Coverage:
    """Return how ``windows`` cover the intervals between ``moments_s``.

    Args:
        moments_s: Increasing; at least two.
        windows: Disjoint, in order, and each contained in the moments.
    """
    edges = as_edges(windows)
    at = interval_of(moments_s, edges.ravel())
    intervals = np.unique(at)
    right_s = moments_s[intervals + 1]
    last = np.searchsorted(edges[:, 0], right_s, side="left") - 1
    return Coverage(
        edges_s=edges.ravel(),
        edge_interval=at,
        edge_position=(edges.ravel() - moments_s[at]) / np.diff(moments_s)[at],
        intervals=intervals,
        continues=(last >= 0) & (edges[np.maximum(last, 0), 1] > right_s),
    )
