"""What each value of each parameter changes, with its interval: a forest plot."""

from __future__ import annotations

from collections.abc import Sequence

from llem.report.comparison.phrasing import percent
from llem.report.content.parameter_effects import ParameterEffect
from llem.report.figures.canvas import Canvas, fitting
from llem.report.varied_parameters import label

WIDTH, ROW, LEFT = 860, 26, 330


def effects(found: Sequence[ParameterEffect]) -> str | None:
    """Return the figure of one metric's effects, or ``None`` if there are none."""
    if not found:
        return None
    height = ROW * len(found) + 76
    canvas = Canvas(WIDTH, height, f"Change of {found[0].metric.label} by parameter")
    ends = [
        100 * value
        for one in found
        for value in (one.change.estimate, one.change.low, one.change.high)
        if value is not None
    ]
    x = fitting([*ends, 0.0], LEFT, WIDTH - 24)
    y = fitting([0, 1], height - 52, 24)
    for value in x.ticks(7):
        canvas.line(x.at(value), 18, x.at(value), y.start, "grid")
        canvas.text(x.at(value), y.start + 18, _signed(value), "tick", "middle")
    canvas.line(x.at(0), 12, x.at(0), y.start, "axis")
    canvas.text((LEFT + WIDTH) / 2, height - 10, f"change of {found[0].metric.label}", "label",
                "middle")  # fmt: skip
    for at, one in enumerate(found):
        middle = 30 + ROW * at
        against = label({one.parameter: one.baseline}).partition("=")[2]
        canvas.text(LEFT - 14, middle + 4, f"{label({one.parameter: one.value})} vs {against}",
                    "name", "end")  # fmt: skip
        if one.change.low is not None and one.change.high is not None:
            low, high = x.at(100 * one.change.low), x.at(100 * one.change.high)
            canvas.line(low, middle, high, middle, "interval")
            for end in (low, high):
                canvas.line(end, middle - 5, end, middle + 5, "interval")
        note = percent(one.change.estimate)
        canvas.marker(x.at(100 * one.change.estimate), middle, 0, note, 5)
    return canvas.svg()


def _signed(value: float) -> str:
    return "0" if abs(value) < 1e-9 else f"{value:+.6g} %".replace("-", "\N{MINUS SIGN}")
