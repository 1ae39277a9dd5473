"""The greatest power within a window."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from llem.api.meter import Series
from llem.measure.integrate import energy_of_each

_STEPS = 50
"""Positions of the moving part within its own length: a jump of power is cut by a hundredth."""


def peak_w(series: Sequence[Series], window: tuple[float, float], over_s: float) -> float | None:
    """Return the greatest mean power, of all series together, over any ``over_s`` of the window.

    A mean over a stated time is the same for counters and power readings, however often they are
    renewed; a greatest reading is not.

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
    begins_s = np.linspace(start_s, end_s - over_s, steps + 1)
    parts = np.column_stack((begins_s, begins_s + over_s))
    total_j = np.sum([energy_of_each(one, parts) for one in series], axis=0)
    peak = float(np.max(total_j)) / over_s
    return None if math.isnan(peak) else peak
