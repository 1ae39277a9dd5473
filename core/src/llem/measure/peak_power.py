"""The greatest power within a window, and power over time for a display."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llem.api.meter import Series
from llem.measure.integrate import energy_in

_STEPS = 4
"""Positions of the moving part within its own length."""


def peak_w(series: Sequence[Series], window: tuple[float, float], over_s: float) -> float | None:
    """Return the greatest mean power, of all series together, over any ``over_s`` of the window.

    A mean over a stated time is the same for counters and power readings, however often they are
    renewed; a greatest reading is not. The moving part is tried at every quarter of its length.

    Args:
        series: Readings of different domains.
        window: Start and end on the monotonic clock.
        over_s: Length of the moving part; at most that of the window.

    Returns:
        Watts, or ``None`` where the readings do not cover the window.
    """
    start_s, end_s = window
    if not series or over_s <= 0:
        return None
    steps = max(1, math.ceil((end_s - start_s - over_s) / (over_s / _STEPS)))
    found: list[float] = []
    for step in range(steps + 1):
        begin_s = start_s + (end_s - over_s - start_s) * step / steps
        parts = [energy_in(one, begin_s, begin_s + over_s) for one in series]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        found.append(math.fsum(known) / over_s)
    return max(found)
