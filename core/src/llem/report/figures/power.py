"""Power over the time of one run, its measured windows and their phases shaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llem.api.outcome import Outcome
from llem.report.content.curves import Curve
from llem.report.figures.canvas import Canvas
from llem.report.figures.scale import Scale, fitting
from llem.store.phases import Spans

WIDTH, HEIGHT = 860, 280
LEAST_WIDTH = 0.5
"""Pixels; spans of a phase that are nearer to each other than this are drawn as one."""


def power(outcome: Outcome, curves: Sequence[Curve], phases: Spans) -> str:
    """Return the figure; times are relative to the start of the first window.

    Args:
        outcome: The run.
        curves: Power of each domain.
        phases: Spans of each phase, which lie in the windows.
    """
    canvas = Canvas(WIDTH, HEIGHT, f"Power over time of {outcome.id}")
    times_s = [time_s for curve in curves for time_s in (curve.times_s[0], curve.times_s[-1])]
    x = fitting(times_s, 78, WIDTH - 20, margin=0.01)
    y = fitting([w for curve in curves for w in curve.power_w], HEIGHT - 56, 34, zero=True)
    origin_s = outcome.timing.repetitions[0].started_s
    windows = [
        (one.started_s - origin_s, one.started_s - origin_s + one.duration_s)
        for one in outcome.timing.repetitions
    ]
    for kind, spans in {"window": windows, **phases}.items():
        canvas.bands(list(_drawn(spans, x)), y.end, y.start - y.end, kind)
    shaded = f"windows{' and their phases' if phases else ''} shaded"
    canvas.frame(x, y, f"seconds from the first measured window ({shaded})", "power in W")
    for series, curve in enumerate(curves):
        points = zip(map(x.at, curve.times_s), map(y.at, curve.power_w), strict=True)
        canvas.path(list(points), f"curve s{series % 8}")
    return canvas.svg()


def _drawn(spans: Sequence[tuple[float, float]], x: Scale) -> Iterator[tuple[float, float]]:
    """Yield the pixels of spans, which are in order; those too near to tell apart are one."""
    last: tuple[float, float] | None = None
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
