"""Power over the time of a run, and parts of it that a figure can show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llem.report.load_outcomes import Stored
from llem.results import read_phases, read_samples
from llem.results.series_files import Spans

ORDER = ("prefill", "decode", "mixed")


def phases(stored: Stored) -> Spans:
    """Return the spans of each phase in seconds from the first measured window.

    Empty where none are stored: the engine did not tell, or an earlier version of llem ran it.
    """
    repetitions = stored.outcome.timing.repetitions
    if not repetitions:
        return {}
    try:
        found = read_phases(stored.folder)
    except (OSError, ValueError, KeyError):
        return {}
    origin_s = repetitions[0].start_monotonic_s
    return {
        phase: [(start - origin_s, end - origin_s) for start, end in found[phase]]
        for phase in ORDER
        if phase in found
    }


MOST_POINTS = 400
"""A figure is not wider than this many pixels or so."""

_POWER = ("power_w", "average_power_w")


@dataclass(frozen=True, slots=True)
class Curve:
    """One domain's power.

    Attributes:
        name: Device, domain and meter.
        times_s: Moments, relative to the start of the first measured window.
        power_w: Power there.
    """

    name: str
    times_s: np.ndarray
    power_w: np.ndarray

    def within(self, start_s: float, end_s: float) -> Curve:
        """Return the part between two moments, interpolated at both as far as it reaches."""
        edges_s = np.clip([start_s, end_s], self.times_s[0], self.times_s[-1])
        inside = (self.times_s > edges_s[0]) & (self.times_s < edges_s[1])
        times_s = np.concatenate([edges_s[:1], self.times_s[inside], edges_s[1:]])
        return Curve(self.name, times_s, np.interp(times_s, self.times_s, self.power_w))

    def thinned(self) -> Curve:
        """Return at most ``MOST_POINTS`` readings: the least and greatest of each stretch."""
        if len(self.times_s) <= MOST_POINTS:
            return self
        chosen: set[int] = set()
        for part in np.array_split(np.arange(len(self.times_s)), MOST_POINTS // 2):
            power_w = self.power_w[part]
            chosen |= {int(part[np.argmin(power_w)]), int(part[np.argmax(power_w)])}
        keep = sorted(chosen)
        return Curve(self.name, self.times_s[keep], self.power_w[keep])


def curves(stored: Stored) -> list[Curve]:
    """Return the power of every counted domain of a run; empty where no samples are stored.

    A counter's power is the energy between two of its renewals over the time between them.
    """
    outcome = stored.outcome
    if outcome.energy is None or not outcome.timing.repetitions:
        return []
    counted = {
        (row.meter, row.device, row.domain)
        for row in outcome.energy.devices
        if row.counted_in_total
    }
    readings: dict[tuple[str, str, str, str], list[tuple[float, float]]] = {}
    try:
        for row in read_samples(stored.folder):
            place = (row["meter"], row["device"], row["domain"])
            kind = next((name for name in (*_POWER, "energy_j") if row.get(name)), None)
            if place in counted and kind:
                value = (float(row["time_s"]), float(row[kind]))
                readings.setdefault((*place, kind), []).append(value)
    except (OSError, ValueError, KeyError):
        return []
    origin_s = outcome.timing.repetitions[0].start_monotonic_s
    found: dict[tuple[str, str, str], Curve] = {}
    # Power as read comes before power derived from a counter: it shows more.
    for meter, device, domain, kind in sorted(readings, key=lambda key: key[3] == "energy_j"):
        place = (meter, device, domain)
        if place not in found:
            times_s, power_w = _power(readings[(*place, kind)], kind)
            if len(times_s) > 1:
                found[place] = Curve(f"{device} {domain} ({meter})", times_s - origin_s, power_w)
    return list(found.values())


def _power(values: list[tuple[float, float]], kind: str) -> tuple[np.ndarray, np.ndarray]:
    times_s, readings = np.asarray(values).T
    if kind != "energy_j":
        return times_s, readings
    renewed = np.flatnonzero(np.diff(readings, prepend=np.nan) != 0)
    times_s, readings = times_s[renewed], readings[renewed]
    if len(times_s) < 2:
        return times_s[:0], readings[:0]
    middle_s = (times_s[1:] + times_s[:-1]) / 2
    return middle_s, np.diff(readings) / np.diff(times_s)
