"""Deviation from each variant's mean, in the order of runs."""

from __future__ import annotations

from llem.report.content.trend import Trend
from llem.report.figures.canvas import Canvas, fitting

WIDTH, HEIGHT = 860, 260


def order(trend: Trend) -> str:
    """Return the figure."""
    canvas = Canvas(WIDTH, HEIGHT, f"{trend.metric.label} in the order of runs")
    x = fitting([place for place, _ in trend.points], 78, WIDTH - 20, margin=0.03)
    y = fitting([100 * value for _, value in trend.points] + [0.0], HEIGHT - 56, 34)
    what = f"{trend.metric.label}: deviation from the variant's mean in %"
    canvas.frame(x, y, "place in the order of runs", what)
    canvas.line(x.start, y.at(0), x.end, y.at(0), "axis")
    for place, value in trend.points:
        canvas.marker(x.at(place), y.at(100 * value), 0, f"{100 * value:+.2f} %", 4)
    return canvas.svg()
