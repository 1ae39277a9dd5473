"""Faults that sources of energy have shown to their users, planted into readings of a device."""

from dataclasses import replace

import numpy as np

UINT32_MAX = 2**32 - 1


def scaled(factor):
    """Every reading is too large or too small."""
    return lambda series: replace(series, values=(np.asarray(series.values) * factor).tolist())


def stuck(series):
    """The first value for ever."""
    return replace(series, values=[series.values[0]] * len(series.values))


def frozen(start_s, end_s, *, caught_up):
    """One value from ``start_s`` to ``end_s``; then the truth, or what was missed is lost."""

    def plant(series):
        times_s, values = np.asarray(series.times_s), np.asarray(series.values, float)
        stands = (times_s >= start_s) & (times_s < end_s)
        first, after = np.argmax(stands), np.argmax(times_s >= end_s) or len(values)
        values = values.copy()
        if not caught_up:
            values[after:] -= values[after - 1] - values[first]
        values[stands] = values[first]
        return replace(series, values=values.tolist())

    return plant


def sample(at_s, value, *, lasts_s=0.0):
    """One reading, or those of one refresh, are garbage."""

    def plant(series):
        times_s, values = np.asarray(series.times_s), np.asarray(series.values, float).copy()
        first = np.searchsorted(times_s, at_s)
        last = max(first + 1, np.searchsorted(times_s, at_s + lasts_s))
        values[first:last] = value if value is not None else np.nan
        return replace(series, values=values.tolist())

    return plant


def limited(watts):
    """The meter states this limit."""
    return lambda series: replace(series, channel=replace(series.channel, max_w=watts))


def untouched(series):
    return series
