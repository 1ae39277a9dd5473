"""From values to places on a figure, and the values that are worth a label."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from values to pixels.

    Attributes:
        low: Value at ``start``.
        high: Value at ``end``.
        start: Pixel of ``low``.
        end: Pixel of ``high``.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of ``value``."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, wanted: int = 6) -> list[float]:
        """Return round values within the scale, about ``wanted`` of them."""
        raw = (self.high - self.low) / wanted
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def fitting(
    values: Iterable[float], start: float, end: float, *, margin: float = 0.06, zero: bool = False
) -> Scale:
    """Return a scale that holds every value, with a margin, and zero if asked for."""
    known = [*values, *([0.0] if zero else [])] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * margin or abs(high) * margin or 1.0
    # A bar or a power begins at zero; below it there is nothing.
    return Scale(0.0 if zero and low == 0 else low - room, high + room, start, end)


def tick_text(value: float) -> str:
    """Return a tick's label, without the noise of binary fractions."""
    text = f"{value:.6g}"
    return text.replace("-", "\N{MINUS SIGN}")
