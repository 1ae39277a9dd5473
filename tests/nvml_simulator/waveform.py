"""Power over time in linear pieces, and the exact energy of any window of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Waveform:
    """Linear pieces of (seconds, watts at the start, watts at the end), repeated from time 0."""

    pieces: tuple[tuple[float, float, float], ...]

    @classmethod
    def constant(cls, power_w: float) -> Self:
        return cls(((1.0, power_w, power_w),))

    @classmethod
    def square(cls, low_w: float, high_w: float, period_s: float) -> Self:
        half_s = period_s / 2
        return cls(((half_s, low_w, low_w), (half_s, high_w, high_w)))

    @classmethod
    def ramp(cls, low_w: float, high_w: float, period_s: float) -> Self:
        """Rise steadily, then fall at once."""
        return cls(((period_s, low_w, high_w),))

    @classmethod
    def bursts(cls, low_w: float, high_w: float) -> Self:
        """Rise for 30 to 170 ms, at uneven distances."""
        pieces: list[tuple[float, float, float]] = []
        for pause_s, burst_s in ((0.61, 0.05), (0.23, 0.17), (1.13, 0.03), (0.37, 0.11)):
            pieces += [(pause_s, low_w, low_w), (burst_s, high_w, high_w)]
        return cls(tuple(pieces))

    @property
    def period_s(self) -> float:
        return math.fsum(seconds for seconds, _, _ in self.pieces)

    def energy_j(self, start_s: float, end_s: float) -> float:
        """Return the energy between two moments of the monotonic clock."""
        return self._since_zero_j(end_s) - self._since_zero_j(start_s)

    def _since_zero_j(self, time_s: float) -> float:
        whole, left_s = divmod(time_s, self.period_s)
        pieces_j = [seconds * (start_w + end_w) / 2 for seconds, start_w, end_w in self.pieces]
        total_j = whole * math.fsum(pieces_j)
        for (seconds, start_w, end_w), piece_j in zip(self.pieces, pieces_j, strict=True):
            if left_s < seconds:
                reached_w = start_w + (end_w - start_w) * left_s / seconds
                return total_j + left_s * (start_w + reached_w) / 2
            total_j += piece_j
            left_s -= seconds
        return total_j
