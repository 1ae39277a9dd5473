"""Power over the time of one run, its measured windows and their phases shaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llem.report.content.power_curves import Curve
from llem.report.figures.canvas import Canvas, Scale, fitting
from llem.results.series_files import Spans
from llem.schema.outcome import Outcome

WIDTH, HEIGHT = 860, 280
LEAST_WIDTH = 0.5
"""Pixels; spans of a phase that are nearer to each other than this are drawn as one."""

CLOSER_RATIO = 0.25
"""A window that takes up more of the whole figure than this is seen well enough there."""

LEAST_READINGS = 8
"""A window with fewer readings than this shows no course of power."""

Span = tuple[float, float]


def power(outcome: Outcome, curves: Sequence[Curve], phases: Spans) -> str:
    """Return the figure of a whole run; times are relative to the start of the first window.

    Args:
        outcome: The run.
        curves: Power of each domain.
        phases: Spans of each phase, which lie in the windows.
    """
    return _figure(outcome, curves, phases, _extent(curves))


def closeup(outcome: Outcome, curves: Sequence[Curve], phases: Spans) -> str | None:
    """Return the figure of the first window; ``None`` where it would show no more.

    Args:
        outcome: The run.
        curves: Power of each domain.
        phases: Spans of each phase; without any there is nothing to look at.
    """
    duration_s = outcome.timing.repetitions[0].duration_s
    window = (-0.02 * duration_s, 1.02 * duration_s)
    parts = [curve.within(*window) for curve in curves]
    start_s, end_s = _extent(curves)
    is_seen = duration_s > CLOSER_RATIO * (end_s - start_s)
    if not phases or is_seen or min(len(one.times_s) for one in parts) < LEAST_READINGS:
        return None
    return _figure(outcome, parts, phases, window)


def _figure(outcome: Outcome, curves: Sequence[Curve], phases: Spans, extent: Span) -> str:
    canvas = Canvas(WIDTH, HEIGHT, f"Power over time of {outcome.id}")
    shown = [curve.thinned() for curve in curves]
    x = fitting(extent, 78, WIDTH - 20, margin=0.01)
    y = fitting([float(w) for one in shown for w in one.power_w], HEIGHT - 56, 34, zero=True)
    origin_s = outcome.timing.repetitions[0].start_monotonic_s
    windows = [
        (one.start_monotonic_s - origin_s, one.start_monotonic_s - origin_s + one.duration_s)
        for one in outcome.timing.repetitions
    ]
    for kind, spans in {"window": windows, **phases}.items():
        canvas.bands(list(_drawn(_clipped(spans, extent), x)), y.end, y.start - y.end, kind)
    shaded = f"windows{' and their phases' if phases else ''} shaded"
    canvas.frame(x, y, f"seconds from the first measured window ({shaded})", "power in W")
    for series, curve in enumerate(shown):
        points = zip(map(x.at, curve.times_s), map(y.at, curve.power_w), strict=True)
        canvas.path(list(points), f"curve s{series % 8}")
    return canvas.svg()


def _extent(curves: Sequence[Curve]) -> Span:
    return (
        min(float(curve.times_s[0]) for curve in curves),
        max(float(curve.times_s[-1]) for curve in curves),
    )


def _clipped(spans: Sequence[Span], extent: Span) -> Iterator[Span]:
    for start, end in spans:
        if end > extent[0] and start < extent[1]:
            yield max(start, extent[0]), min(end, extent[1])


def _drawn(spans: Iterator[Span], x: Scale) -> Iterator[Span]:
    """Yield the pixels of spans, which are in order; those too near to tell apart are one."""
    last: Span | None = None
    for start, end in spans:
        left, right = x.at(start), max(x.at(end), x.at(start) + LEAST_WIDTH)
        if last is None or left - last[1] >= LEAST_WIDTH:
            if last is not None:
                yield last
            last = (left, right)
        else:
            last = (last[0], max(last[1], right))
    if last is not None:
        yield last
