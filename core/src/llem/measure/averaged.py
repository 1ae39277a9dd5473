"""Energy from power that its source has already averaged over some time.

Averaged over *W*, a reading is ``v(t) = (C(t) - C(t - W)) / W``, where *C* is the energy up to a
moment. So ``C(t) = C(t - W) + W·v(t)``: from a stretch in which the power was steady, and *C* thus
known, it follows for all later moments. No lag remains, and no error grows with each step, since
steady power is counted right from whichever anchor. A series begins while the device idles, which
is such a stretch.

The plain reading of the same data, the trapezoid moved back by ``W/2``, blurs each edge over *W*.
Where the two agree, the lag did no harm; their difference is taken as the half-width of what is
not known (GUM, JCGM 100:2008, 4.3.7). How the load swings within *W* no reading can tell, so that a
tenth of the energy of one *W* is taken as a further half-width at the first edge and the last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llem.measure.coverage import Floats, Span, as_edges
from llem.measure.power import PowerEnergy

UNSEEN_RATIO = 0.1
"""Share of one averaging time's energy that may lie on either side of an edge. A judgement."""

_LEAST_STEPS = 20
"""Least number of grid steps per averaging time."""


@dataclass(frozen=True, slots=True)
class AveragedEnergy:
    """The energy behind averaged readings, as a function of time.

    Attributes:
        readings: The averages, taken as if they were power.
        averaged_over_s: The time they are averaged over.
    """

    readings: PowerEnergy
    averaged_over_s: float

    @property
    def times_s(self) -> Floats:
        """The moments between which energy is known."""
        return self.readings.times_s - self.averaged_over_s / 2

    def energy_j(self, windows: Sequence[Span]) -> Floats:
        """Return the energy of each window."""
        grid_s, energy_j = self._undone()
        edges = as_edges(windows)
        until = np.interp(edges, grid_s, energy_j)
        difference: Floats = until[:, 1] - until[:, 0]
        return difference

    def uncertainty_j(self, windows: Sequence[Span]) -> float:
        """Return the standard uncertainty of the energy of all windows together."""
        late = [
            (start_s + self.averaged_over_s / 2, end_s + self.averaged_over_s / 2)
            for start_s, end_s in windows
        ]
        blurred_j = float(np.sum(self.readings.energy_j(late)))
        lag_j = (float(np.sum(self.energy_j(windows))) - blurred_j) / math.sqrt(3)
        duration_s = sum(end_s - start_s for start_s, end_s in windows)
        unseen_j = UNSEEN_RATIO * self.averaged_over_s * blurred_j / duration_s / math.sqrt(3)
        return math.hypot(lag_j, unseen_j, unseen_j, self.readings.uncertainty_j(late))

    def _undone(self) -> tuple[Floats, Floats]:
        """Return an even grid of moments, and the energy until each of them."""
        times_s, power_w = self.readings.times_s, self.readings.power_w
        span_s = float(times_s[-1] - times_s[0])
        period_s = span_s / (len(times_s) - 1)
        steps = max(_LEAST_STEPS, round(self.averaged_over_s / period_s))
        step_s = self.averaged_over_s / steps
        # One column per phase: each row lies one averaging time after the row above it.
        rows = math.ceil(span_s / self.averaged_over_s) + 1
        grid_s = times_s[0] + step_s * np.arange(rows * steps)
        average_w = np.interp(grid_s, times_s, power_w).reshape(rows, steps)
        before_j = power_w[0] * step_s * (np.arange(steps) - steps)
        energy_j = before_j + self.averaged_over_s * np.cumsum(average_w, axis=0)
        return grid_s, energy_j.ravel()
