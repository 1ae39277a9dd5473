"""Energy between two moments from readings of power: the trapezoid under them.

Between two readings the power is taken as a straight line. The true course is unknown; if the power
jumped from one value to the other at a moment equally likely anywhere between them, the energy of
the interval is uncertain by ``|change|·width/√12``. A reading that stands out on both sides is a
burst whose beginning and end are both unknown: its two intervals err in the same direction, and
their uncertainties add up before they are squared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from llem.energy.coverage import Floats, cover, end_of_last_window, energy_of, interval_of


@dataclass(frozen=True, slots=True)
class PowerEnergy:
    """The energy under readings of power, as a function of time.

    Attributes:
        times_s: The moments that the readings are valid for, increasing; at least two.
        power_w: The readings.
        update_period_s: Update period of the source; 0 if every reading is new.
        resolution_w: Smallest step of a reading.
        gap_s: Two readings further apart than this leave a gap, in which the power is unknown.
    """

    times_s: Floats
    power_w: Floats
    update_period_s: float
    resolution_w: float
    gap_s: float

    def uncertainty_j(self, windows: Floats) -> float:
        """Return the standard uncertainty of the energy of all windows together."""
        deviation_j = self._deviation_j() * self._share(windows)
        burst = np.maximum(-deviation_j[1:] * deviation_j[:-1], 0.0)
        shape = float(np.sum(deviation_j**2) + 2 * np.sum(burst))
        # A value's age is uncertain by its update period. A common delay moves all edges alike:
        # the loss at one end is the gain at the other.
        change_w = float(np.sum(np.diff(np.interp(windows, self.times_s, self.power_w))))
        timing = (change_w * self.update_period_s) ** 2 / 12
        duration_s = float(np.sum(np.diff(windows)))
        # A constant offset of the readings adds up over all windows.
        offset = (self.resolution_w * duration_s) ** 2 / 12
        return math.sqrt(shape + timing + offset)

    def until_j(self, moments_s: Floats) -> Floats:
        """Return the energy from the first reading until each moment."""
        times_s, power_w = self.times_s, self.power_w
        width_s = np.diff(times_s)
        whole = np.concatenate(([0.0], np.cumsum(width_s * (power_w[1:] + power_w[:-1]) / 2)))
        at = interval_of(times_s, moments_s)
        into_s = moments_s - times_s[at]
        slope = (power_w[at + 1] - power_w[at]) / width_s[at]
        energy: Floats = whole[at] + into_s * (power_w[at] + slope * into_s / 2)
        return energy

    def _deviation_j(self) -> Floats:
        """Return each interval's standard deviation, with the sign of the change."""
        # Reading more often than the value is updated adds no information.
        change_w = np.diff(self.power_w)
        width_s = np.maximum(np.diff(self.times_s), self.update_period_s)
        range_w = np.max(self.power_w) - np.min(self.power_w)
        change_w = np.where(width_s > self.gap_s, range_w, change_w)
        deviation: Floats = change_w * width_s / math.sqrt(12)
        return deviation

    def _share(self, windows: Floats) -> Floats:
        """Return the factor by which each interval's deviation enters.

        Where a share *F* is covered, a jump at a moment uniformly distributed over the whole
        interval gives the variance ``(4F³ - 3F⁴)/12``.
        """
        covered = cover(self.times_s, windows)
        middle_s = (self.times_s[1:] + self.times_s[:-1]) / 2
        share = np.where(end_of_last_window(windows, middle_s, "right") >= middle_s, 1.0, 0.0)
        part = covered.fraction
        share[covered.intervals] = np.sqrt(4 * part**3 - 3 * part**4)
        return share


UNSEEN_RATIO = 0.1
"""Share of one averaging time's energy that may lie on either side of an edge. A judgement."""

_ADJACENT_RATIO = 0.05
"""Windows that are closer than this share of the averaging time are adjacent."""

_MIN_STEPS = 20
"""Least number of grid steps per averaging time."""


@dataclass(frozen=True, slots=True)
class AveragedEnergy:
    """The energy behind ``readings`` that are averages, as a function of time."""

    readings: PowerEnergy
    averaged_over_s: float

    @property
    def times_s(self) -> Floats:
        """The moments between which energy is known."""
        return self.readings.times_s - self.averaged_over_s / 2

    def uncertainty_j(self, windows: Floats) -> float:
        """Return the standard uncertainty of the energy of all windows together."""
        late = windows + self.averaged_over_s / 2
        blurred_j = float(np.sum(energy_of(self.readings.until_j, late)))
        lag_j = (float(np.sum(energy_of(self.until_j, windows))) - blurred_j) / math.sqrt(3)
        duration_s = float(np.sum(np.diff(windows)))
        unseen_j = UNSEEN_RATIO * self.averaged_over_s * blurred_j / duration_s / math.sqrt(3)
        # What one edge leaves out, the next includes, unless there is time between the two.
        apart_s = windows[1:, 0] - windows[:-1, 1]
        apart = np.count_nonzero(apart_s > _ADJACENT_RATIO * self.averaged_over_s)
        unseen_j *= math.sqrt(1 + apart)
        return math.hypot(lag_j, unseen_j, unseen_j, self.readings.uncertainty_j(late))

    def until_j(self, moments_s: Floats) -> Floats:
        """Return the energy until each moment, interpolated on an even grid."""
        times_s, power_w = self.readings.times_s, self.readings.power_w
        span_s = float(times_s[-1] - times_s[0])
        period_s = span_s / (len(times_s) - 1)
        steps = max(_MIN_STEPS, round(self.averaged_over_s / period_s))
        step_s = self.averaged_over_s / steps
        # One column per phase: each row lies one averaging time after the row above it.
        rows = math.ceil(span_s / self.averaged_over_s) + 1
        grid_s = times_s[0] + step_s * np.arange(rows * steps)
        average_w = np.interp(grid_s, times_s, power_w).reshape(rows, steps)
        before_j = power_w[0] * step_s * (np.arange(steps) - steps)
        energy_j = before_j + self.averaged_over_s * np.cumsum(average_w, axis=0)
        energy: Floats = np.interp(moments_s, grid_s, energy_j.ravel())
        return energy
