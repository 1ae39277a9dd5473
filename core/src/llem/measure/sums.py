"""Sums and quotients in which one unavailable part makes the whole unavailable."""

from __future__ import annotations

import math
from collections.abc import Sequence


def total(parts: Sequence[float | None]) -> float | None:
    """Return the sum, or ``None`` if there is nothing to add or anything is unavailable."""
    known = [part for part in parts if part is not None]
    return math.fsum(known) if known and len(known) == len(parts) else None


def quadrature(parts: Sequence[float | None]) -> float | None:
    """Return the root of the sum of squares, or ``None`` if there is none or one is missing."""
    known = [part for part in parts if part is not None]
    return math.hypot(*known) if known and len(known) == len(parts) else None


def ratio(numerator: float | None, denominator: float) -> float | None:
    """Return the quotient, or ``None`` where one of the two is not to be had."""
    return None if numerator is None or denominator == 0 else numerator / denominator
