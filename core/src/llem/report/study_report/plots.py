"""The figures of a report: trade-off, effects of parameters, latency, order, power over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llem.report.formatting import number, percent
from llem.report.study_report.canvas import MINUS, Canvas, fitting
from llem.report.study_report.content import Report
from llem.report.study_report.effects import ParameterEffect, Trend
from llem.report.study_report.power_over_time import draw_first_window, draw_power
from llem.report.varied_parameters import label
from llem.schema.outcome import Outcome, Quantiles

WIDTH = 860

MOST_LATENCIES = 100
"""Further outcomes have their latencies only in the table: too many rows to compare by eye."""

LATENCIES = {
    "ttft_s": "time to first token",
    "itl_s": "inter-token latency",
    "e2e_s": "request latency",
}
"""Names of the latencies, by the key of the outcome."""

_NAMES_WIDTH = 330


def figures(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the name and the SVG of each figure of a report."""
    if (svg := draw_tradeoff(report)) is not None:
        yield "energy-against-throughput", svg
    for metric, effects in report.effects_by_metric.items():
        yield f"effects-on-{metric}", draw_effects(effects)
    for kind in LATENCIES:
        if (svg := draw_latency(report, kind)) is not None:
            yield f"latency-{kind}", svg
    for trend in report.trends:
        yield f"order-{trend.metric.name}", draw_order(trend)
    for outcome in report.outcomes:
        if outcome.id in report.powers:
            curves, phases = report.powers[outcome.id]
            yield f"power-{outcome.id}", draw_power(outcome, curves, phases)
            if (svg := draw_first_window(outcome, curves, phases)) is not None:
                yield f"power-{outcome.id}-window", svg


def draw_tradeoff(report: Report) -> str | None:
    """Return energy per output token against throughput, with the Pareto front.

    ``None`` if energy or throughput is unknown.
    """
    points = report.tradeoff
    if not points:
        return None
    height = 420
    canvas = Canvas(WIDTH, height, "Energy per output token against output tokens per second")
    x = fitting([speed for _, speed in points.values()], 78, WIDTH - 20)
    y = fitting([energy_j for energy_j, _ in points.values()], height - 56, 34)
    canvas.frame(x, y, "output tokens per second", "energy per output token in J")
    if len(report.on_front) > 1:
        front = (points[at] for at in report.on_front)
        canvas.path([(x.at(speed), y.at(energy_j)) for energy_j, speed in front], "front")
    for series, name in enumerate(report.series):
        canvas.group({"class": "series", "data-series": name})
        for at, (energy_j, speed) in points.items():
            outcome = report.outcomes[at]
            if report.series_of(outcome) == name:
                note = f"{number(energy_j)} J per token at {number(speed)} tokens/s"
                note += "" if outcome.verdict.valid else ", not valid"
                canvas.group({"class": "valid" if outcome.verdict.valid else "invalid"})
                note = f"{report.name_of(outcome)}: {note}"
                canvas.marker(x.at(speed), y.at(energy_j), series, note)
                canvas.end()
        canvas.end()
    return canvas.svg()


def draw_effects(effects: Sequence[ParameterEffect]) -> str:
    """Return the effects on one metric with their intervals, as a forest plot."""
    row_height, metric = 26, effects[0].metric
    height = row_height * len(effects) + 76
    canvas = Canvas(WIDTH, height, f"Change of {metric.label} by parameter")
    changes = [effect.change for effect in effects]
    ends = [end for change in changes for end in (change.estimate, change.low, change.high)]
    x = fitting([0.0, *(100 * end for end in ends if end is not None)], _NAMES_WIDTH, WIDTH - 24)
    bottom = height - 52
    for value in x.ticks(7):
        canvas.line(x.at(value), 18, x.at(value), bottom, "grid")
        tick = "0" if abs(value) < 1e-9 else f"{value:+.6g} %".replace("-", MINUS)
        canvas.text(x.at(value), bottom + 18, tick, "tick", "middle")
    canvas.line(x.at(0), 12, x.at(0), bottom, "axis")
    middle_x = (_NAMES_WIDTH + WIDTH) / 2
    canvas.text(middle_x, height - 10, f"change of {metric.label}", "label", "middle")
    for at, effect in enumerate(effects):
        y, change = 30 + row_height * at, effect.change
        baseline = label({effect.parameter: effect.baseline}).partition("=")[2]
        name = f"{label({effect.parameter: effect.value})} vs {baseline}"
        canvas.text(_NAMES_WIDTH - 14, y + 4, name, "name", "end")
        if change.low is not None and change.high is not None:
            low, high = x.at(100 * change.low), x.at(100 * change.high)
            canvas.line(low, y, high, y, "interval")
            for end in (low, high):
                canvas.line(end, y - 5, end, y + 5, "interval")
        canvas.marker(x.at(100 * change.estimate), y, 0, percent(change.estimate))
    return canvas.svg()


def draw_latency(report: Report, kind: str) -> str | None:
    """Return the distribution of one latency, a row for each outcome.

    ``None`` if no outcome has it.

    Args:
        report: The content.
        kind: A key of ``LATENCIES``.
    """
    known: list[tuple[Outcome, Quantiles]] = [
        (outcome, quantiles)
        for outcome in report.outcomes
        if outcome.latency and (quantiles := getattr(outcome.latency, kind)) is not None
    ][:MOST_LATENCIES]
    if not known:
        return None
    row_height, name = 20, LATENCIES[kind]
    height = row_height * len(known) + 70
    canvas = Canvas(WIDTH, height, f"Distribution of {name} by outcome")
    longest_s = [quantiles.p99 for _, quantiles in known]
    x = fitting([1000 * value for value in longest_s], _NAMES_WIDTH, WIDTH - 24, zero=True)
    bottom = height - 50
    for value in x.ticks(7):
        canvas.line(x.at(value), 14, x.at(value), bottom, "grid")
        canvas.text(x.at(value), bottom + 18, f"{value:.6g}", "tick", "middle")
    axis = f"{name} in ms: median, to 90, 95 and 99 %"
    canvas.text((_NAMES_WIDTH + WIDTH) / 2, height - 10, axis, "label", "middle")
    for at, (outcome, quantiles) in enumerate(known):
        y = 24 + row_height * at
        name = report.series_of(outcome)
        series = report.series.index(name)
        canvas.group({"class": "series", "data-series": name})
        canvas.text(_NAMES_WIDTH - 14, y + 4, report.name_of(outcome), "name", "end")
        median, *others = (
            x.at(1000 * value)
            for value in (quantiles.p50, quantiles.p90, quantiles.p95, quantiles.p99)
        )
        canvas.line(median, y, others[-1], y, f"spread s{series % 8}")
        for other in others:
            canvas.line(other, y - 4, other, y + 4, f"spread s{series % 8}")
        canvas.marker(median, y, series, report.name_of(outcome), 4.5)
        canvas.end()
    return canvas.svg()


def draw_order(trend: Trend) -> str:
    """Return each run's deviation from the mean of its variant, in the order of the runs."""
    height = 260
    canvas = Canvas(WIDTH, height, f"{trend.metric.label} in the order of runs")
    x = fitting([position for position, _ in trend.points], 78, WIDTH - 20, margin=0.03)
    y = fitting([0.0, *(100 * value for _, value in trend.points)], height - 56, 34)
    y_label = f"{trend.metric.label}: deviation from the variant's mean in %"
    canvas.frame(x, y, "position in the order of runs", y_label)
    canvas.line(x.start, y.at(0), x.end, y.at(0), "axis")
    for position, value in trend.points:
        canvas.marker(x.at(position), y.at(100 * value), 0, f"{100 * value:+.2f} %", 4)
    return canvas.svg()
