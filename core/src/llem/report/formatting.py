"""How numbers are written for readers."""

from __future__ import annotations

from decimal import Decimal
from math import hypot


def number(value: float | None) -> str:
    """Return ``value`` with four significant digits, or ``-`` if it is unavailable."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def plain_number(value: float) -> str:
    """Return ``value`` with three significant digits, and never as a power of ten."""
    return f"{Decimal(f'{value:.3g}'):f}"


def with_prefix(value: float | None, unit: str) -> str:
    """Return ``value`` with three significant digits and an SI prefix before ``unit``."""
    if value is None:
        return "-"
    for prefix, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def joules(value_j: float | None, random_j: float | None, gain_j: float | None) -> str:
    """Return an energy with its combined standard uncertainty.

    An outcome states the sensor's gain error separately, because it cancels in a comparison of
    two runs on the same device; for a single figure it counts.
    """
    if random_j is None:
        return f"{number(value_j)} J"
    return f"{number(value_j)} ± {number(hypot(random_j, gain_j or 0.0))} J"


def percent(ratio: float) -> str:
    """Return a relative change with its sign."""
    return f"{100 * ratio:+.2f} %" if abs(ratio) < 1 else f"{100 * ratio:+.0f} %"


def interval_text(low: float | None, high: float | None, *, relative: bool) -> str:
    """Return the ends of an interval, or ``-`` if they are unknown."""
    if low is None or high is None:
        return "-"
    if relative:
        return f"{percent(low).removesuffix(' %')} … {percent(high)}"
    return f"{low:+.4g} … {high:+.4g}"


def probability(p: float | None) -> str:
    """Return a p-value as papers print it."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
