"""Distributions of latency: median to 99 %, one line an outcome."""

from __future__ import annotations

from collections.abc import Sequence

from llem.report.content.study_report import Report
from llem.report.figures.canvas import Canvas, fitting
from llem.report.figures.tradeoff_plot import series_names
from llem.schema.outcome import Outcome, Quantiles

WIDTH, ROW, LEFT = 860, 20, 330
MOST_ROWS = 100
"""Further outcomes are in the table alone: nobody compares more lines by eye."""

KINDS = {
    "ttft_s": "time to first token",
    "itl_s": "inter-token latency",
    "e2e_s": "request latency",
}


def latency(report: Report, kind: str) -> str | None:
    """Return the figure of one latency, or ``None`` where no outcome has it.

    Args:
        report: The content.
        kind: ``ttft_s``, ``itl_s`` or ``e2e_s``.
    """
    known = [
        (outcome, quantiles)
        for outcome in report.outcomes
        if (quantiles := _quantiles(outcome, kind)) is not None
    ]
    return _drawn(report, KINDS[kind], known[:MOST_ROWS]) if known else None


def _drawn(report: Report, what: str, known: Sequence[tuple[Outcome, Quantiles]]) -> str:
    height = ROW * len(known) + 70
    canvas = Canvas(WIDTH, height, f"Distribution of {what} by outcome")
    x = fitting([1000 * one.p99 for _, one in known], LEFT, WIDTH - 24, zero=True)
    bottom = height - 50
    for value in x.ticks(7):
        canvas.line(x.at(value), 14, x.at(value), bottom, "grid")
        canvas.text(x.at(value), bottom + 18, f"{value:.6g}", "tick", "middle")
    canvas.text((LEFT + WIDTH) / 2, height - 10, f"{what} in ms: median, to 90, 95 and 99 %",
                "label", "middle")  # fmt: skip
    names = series_names(report)
    for at, (outcome, one) in enumerate(known):
        middle = 24 + ROW * at
        series = names.index(report.series_of(outcome))
        what_runs = report.label_of(outcome)
        canvas.group({"class": "series", "data-series": names[series]})
        canvas.text(LEFT - 14, middle + 4, what_runs or outcome.id, "name", "end")
        places = [x.at(1000 * value) for value in (one.p50, one.p90, one.p95, one.p99)]
        canvas.line(places[0], middle, places[-1], middle, f"spread s{series % 8}")
        for place in places[1:]:
            canvas.line(place, middle - 4, place, middle + 4, f"spread s{series % 8}")
        canvas.marker(places[0], middle, series, f"{what_runs or outcome.id}", 4.5)
        canvas.end()
    return canvas.svg()


def _quantiles(outcome: Outcome, kind: str) -> Quantiles | None:
    found: Quantiles | None = getattr(outcome.latency, kind) if outcome.latency else None
    return found
