"""Energy per output token against throughput, with the Pareto front."""

from __future__ import annotations

from llem.report.content.study_report import Report
from llem.report.figures.canvas import Canvas, fitting
from llem.report.metrics import METRICS
from llem.report.outcome_table import number

WIDTH, HEIGHT = 860, 420


def tradeoff(report: Report) -> str | None:
    """Return the figure, or ``None`` where energy or throughput is unknown."""
    energy, speed = METRICS["j_per_output_token"], METRICS["output_tokens_per_s"]
    points = []
    for outcome in report.outcomes:
        x, y = speed.of(outcome), energy.of(outcome)
        points.append(None if x is None or y is None or outcome.status != "done" else (x, y))
    known = [point for point in points if point is not None]
    if not known:
        return None
    canvas = Canvas(WIDTH, HEIGHT, "Energy per output token against output tokens per second")
    x_scale = fitting([x for x, _ in known], 78, WIDTH - 20)
    y_scale = fitting([y for _, y in known], HEIGHT - 56, 34)
    canvas.frame(x_scale, y_scale, "output tokens per second", "energy per output token in J")
    chosen = [point for at in report.on_front if (point := points[at]) is not None]
    front = sorted(chosen)
    if len(front) > 1:
        canvas.path([(x_scale.at(x), y_scale.at(y)) for x, y in front], "front")
    names = series_names(report)
    for series, name in enumerate(names):
        canvas.group({"class": "series", "data-series": name})
        for at, outcome in enumerate(report.outcomes):
            point = points[at]
            if point is None or report.series_of(outcome) != name:
                continue
            x, y = x_scale.at(point[0]), y_scale.at(point[1])
            note = f"{number(point[1])} J per token at {number(point[0])} tokens/s"
            what = report.label_of(outcome)
            flaws = "" if outcome.verdict.valid else ", not valid"
            canvas.group({"class": "valid" if outcome.verdict.valid else "invalid"})
            canvas.marker(x, y, series, f"{what or outcome.id}: {note}{flaws}")
            canvas.end()
        canvas.end()
    return canvas.svg()


def series_names(report: Report) -> list[str]:
    """Return the names of the series, in the order of their first outcome."""
    return list(dict.fromkeys(report.series_of(outcome) for outcome in report.outcomes))
