"""Power over the time of one run, its measured windows shaded."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.outcome import Outcome
from llem.report.content.curves import Curve
from llem.report.figures.canvas import Canvas
from llem.report.figures.scale import fitting

WIDTH, HEIGHT = 860, 280


def power(outcome: Outcome, curves: Sequence[Curve]) -> str:
    """Return the figure; times are relative to the start of the first window."""
    canvas = Canvas(WIDTH, HEIGHT, f"Power over time of {outcome.id}")
    times_s = [time_s for curve in curves for time_s in (curve.times_s[0], curve.times_s[-1])]
    x = fitting(times_s, 78, WIDTH - 20, margin=0.01)
    y = fitting([w for curve in curves for w in curve.power_w], HEIGHT - 56, 34, zero=True)
    origin_s = outcome.timing.repetitions[0].started_s
    for one in outcome.timing.repetitions:
        left, right = (
            x.at(one.started_s - origin_s),
            x.at(one.started_s - origin_s + one.duration_s),
        )
        canvas.rectangle(left, y.end, right - left, y.start - y.end, "window")
    canvas.frame(x, y, "seconds from the first measured window (windows shaded)", "power in W")
    for series, curve in enumerate(curves):
        points = zip(map(x.at, curve.times_s), map(y.at, curve.power_w), strict=True)
        canvas.path(list(points), f"curve s{series % 8}")
    return canvas.svg()
