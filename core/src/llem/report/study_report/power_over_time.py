"""Power over the time of a run: curves from its samples, and their figure with windows and phases.

All times of curves and spans are in seconds from the start of the first measured window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llem.report.load_outcomes import StoredOutcome
from llem.report.study_report.canvas import Canvas, Scale, fitting
from llem.results import read_phases, read_samples
from llem.results.series_files import Spans
from llem.schema.outcome import Outcome

_PHASES = ("prefill", "decode", "mixed")
_QUANTITIES = ("power_w", "average_power_w", "energy_j")

MOST_POINTS = 400
"""Points of a drawn curve: about as many as a figure has pixels for."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The power of one domain.

    Attributes:
        name: Device, domain and meter.
        times_s: Times of the points.
        power_w: Power at each point.
    """

    name: str
    times_s: np.ndarray
    power_w: np.ndarray

    def within(self, start_s: float, end_s: float) -> Curve:
        """Return the part between two times, interpolated at both ends that the curve reaches."""
        edges_s = np.clip([start_s, end_s], self.times_s[0], self.times_s[-1])
        inside = (self.times_s > edges_s[0]) & (self.times_s < edges_s[1])
        times_s = np.concatenate([edges_s[:1], self.times_s[inside], edges_s[1:]])
        return Curve(self.name, times_s, np.interp(times_s, self.times_s, self.power_w))

    def thinned(self) -> Curve:
        """Return at most ``MOST_POINTS`` points: the least and the greatest of each stretch."""
        if len(self.times_s) <= MOST_POINTS:
            return self
        kept: set[int] = set()
        for part in np.array_split(np.arange(len(self.times_s)), MOST_POINTS // 2):
            power_w = self.power_w[part]
            kept |= {int(part[np.argmin(power_w)]), int(part[np.argmax(power_w)])}
        indices = sorted(kept)
        return Curve(self.name, self.times_s[indices], self.power_w[indices])


def phase_spans(stored: StoredOutcome) -> Spans:
    """Return the spans of each phase.

    Empty if none are stored: the engine does not tell its phases, or an earlier version of llem
    ran it.
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
        for phase in _PHASES
        if phase in found
    }


def power_curves(stored: StoredOutcome) -> list[Curve]:
    """Return the power of every counted domain of a run; empty if no samples are stored.

    The power of a counter is the energy between two of its updates over the time between them.
    """
    outcome = stored.outcome
    if outcome.energy is None or not outcome.timing.repetitions:
        return []
    counted = {
        (row.meter, row.device, row.domain)
        for row in outcome.energy.devices
        if row.counted_in_total
    }
    readings: dict[tuple[str, str], list[tuple[float, float]]] = {}
    try:
        for row in read_samples(stored.folder):
            meter, device, domain = row["meter"], row["device"], row["domain"]
            kind = next((name for name in _QUANTITIES if row.get(name)), None)
            if (meter, device, domain) in counted and kind:
                reading = (float(row["time_s"]), float(row[kind]))
                readings.setdefault((f"{device} {domain} ({meter})", kind), []).append(reading)
    except (OSError, ValueError, KeyError):
        return []
    origin_s = outcome.timing.repetitions[0].start_monotonic_s
    found: dict[str, Curve] = {}
    # Readings of power come before those of a counter, because they show more.
    for name, kind in sorted(readings, key=lambda key: key[1] == "energy_j"):
        times_s, power_w = _power(readings[name, kind], kind)
        if name not in found and len(times_s) > 1:
            found[name] = Curve(name, times_s - origin_s, power_w)
    return list(found.values())


def _power(readings: list[tuple[float, float]], kind: str) -> tuple[np.ndarray, np.ndarray]:
    times_s, values = np.asarray(readings).T
    if kind != "energy_j":
        return times_s, values
    updates = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    times_s, energy_j = times_s[updates], values[updates]
    if len(times_s) < 2:
        return times_s[:0], energy_j[:0]
    return (times_s[1:] + times_s[:-1]) / 2, np.diff(energy_j) / np.diff(times_s)


WIDTH, HEIGHT = 860, 280

LEAST_WIDTH = 0.5
"""Pixels; spans of a phase that are closer to each other than this are drawn as one."""

CLOSER_RATIO = 0.25
"""A window that takes a larger share of the whole figure needs no figure of its own."""

LEAST_READINGS = 8
"""A window with fewer readings shows no course of power."""

_Span = tuple[float, float]


def draw_power(outcome: Outcome, curves: Sequence[Curve], phases: Spans) -> str:
    """Return the figure of a whole run.

    Args:
        outcome: The run.
        curves: Power of each domain.
        phases: Spans of each phase, within the windows.
    """
    return _figure(outcome, curves, phases, _extent(curves))


def draw_first_window(outcome: Outcome, curves: Sequence[Curve], phases: Spans) -> str | None:
    """Return the figure of the first window, or ``None`` if it would show no more than the whole.

    Args:
        outcome: The run.
        curves: Power of each domain.
        phases: Spans of each phase; without them there is no figure.
    """
    duration_s = outcome.timing.repetitions[0].duration_s
    window = (-0.02 * duration_s, 1.02 * duration_s)
    parts = [curve.within(*window) for curve in curves]
    start_s, end_s = _extent(curves)
    is_large = duration_s > CLOSER_RATIO * (end_s - start_s)
    if not phases or is_large or min(len(part.times_s) for part in parts) < LEAST_READINGS:
        return None
    return _figure(outcome, parts, phases, window)


def _figure(outcome: Outcome, curves: Sequence[Curve], phases: Spans, extent: _Span) -> str:
    canvas = Canvas(WIDTH, HEIGHT, f"Power over time of {outcome.id}")
    thinned = [curve.thinned() for curve in curves]
    x = fitting(extent, 78, WIDTH - 20, margin=0.01)
    power_w = [float(value) for curve in thinned for value in curve.power_w]
    y = fitting(power_w, HEIGHT - 56, 34, zero=True)
    repetitions = outcome.timing.repetitions
    origin_s = repetitions[0].start_monotonic_s
    starts_s = [repetition.start_monotonic_s - origin_s for repetition in repetitions]
    windows = [
        (start_s, start_s + repetition.duration_s)
        for start_s, repetition in zip(starts_s, repetitions, strict=True)
    ]
    for kind, spans in {"window": windows, **phases}.items():
        canvas.bands(_merged(spans, extent, x), y.end, y.start - y.end, kind)
    shaded = f"windows{' and their phases' if phases else ''} shaded"
    canvas.frame(x, y, f"seconds from the first measured window ({shaded})", "power in W")
    for series, curve in enumerate(thinned):
        points = zip(map(x.at, curve.times_s), map(y.at, curve.power_w), strict=True)
        canvas.path(list(points), f"curve s{series % 8}")
    return canvas.svg()


def _extent(curves: Sequence[Curve]) -> _Span:
    return (
        min(float(curve.times_s[0]) for curve in curves),
        max(float(curve.times_s[-1]) for curve in curves),
    )


def _merged(spans: Sequence[_Span], extent: _Span, x: Scale) -> list[_Span]:
    """Return the pixels of ``spans``, which are in order; spans too close to see apart are one."""
    merged: list[_Span] = []
    for start, end in spans:
        if end > extent[0] and start < extent[1]:
            left = x.at(max(start, extent[0]))
            right = max(x.at(min(end, extent[1])), left + LEAST_WIDTH)
            if merged and left - merged[-1][1] < LEAST_WIDTH:
                left, right = merged[-1][0], max(merged.pop()[1], right)
            merged.append((left, right))
    return merged
