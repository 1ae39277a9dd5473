"""The greatest power within a window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llem.api.meter import Series
from llem.measure.integrate import integrate

_PARTS = 10
"""Positions of the moving part within its own length."""


def peak_w(series: Sequence[Series], window: tuple[float, float], over_s: float) -> float | None:
    """Return the greatest mean power, of all series together, over any ``over_s`` of the window.

    A mean over a stated time is the same for counters and power readings, however often they are
    renewed; a greatest reading is not. The moving part is tried at every tenth of its length.

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
    step_s = over_s / _PARTS
    # Rounding must not lose the last part of a window that is as long as the moving part.
    edges_s = start_s + step_s * np.arange(int((end_s - start_s) / step_s + 1e-6) + 1)
    steps = list(zip(edges_s[:-1].tolist(), edges_s[1:].tolist(), strict=True))
    each_j = [integrate(one, steps).each_j for one in series]
    if any(part is None for parts in each_j for part in parts):
        return None
    total_j = np.sum(np.asarray(each_j, dtype=np.float64), axis=0)
    return float(np.max(np.convolve(total_j, np.ones(_PARTS), mode="valid"))) / over_s
