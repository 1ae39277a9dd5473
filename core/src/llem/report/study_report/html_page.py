"""The report as one HTML page: content and figures in the template, styles and script inside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, select_autoescape
from markupsafe import Markup

from llem.report.formatting import SourcedNumber, percent, probability
from llem.report.metrics import Metric
from llem.report.study_report.content import Report
from llem.report.study_report.effects import ParameterEffect, Trend
from llem.report.study_report.evidence import recipes, requested_and_effective, rooflines
from llem.report.study_report.plots import (
    LATENCIES,
    MOST_LATENCIES,
    draw_effects,
    draw_latency,
    draw_order,
    draw_tradeoff,
    series_names,
)
from llem.report.study_report.power_over_time import Curve, draw_first_window, draw_power
from llem.report.varied_parameters import canonical, settings, value_text
from llem.schema.outcome import Outcome


def html_page(report: Report) -> str:
    """Return the report as HTML.

    The template escapes all text from configs, logs and engines.
    """
    environment = Environment(
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.from_string(_resource("page.html.j2"))
    return template.render(
        report=report,
        style=_markup(_resource("figure.css") + _resource("page.css")),
        script=_markup(_resource("page.js")),
        boundaries=list(dict.fromkeys(summary.boundary for summary in report.summaries)),
        rows=[_row(report, outcome) for outcome in report.outcomes],
        on_front={report.outcomes[at].id for at in report.on_front},
        series=series_names(report),
        tradeoff=_markup(draw_tradeoff(report) or ""),
        effects=list(_effects(report)),
        latencies=[
            (name, _markup(svg))
            for kind, name in LATENCIES.items()
            if (svg := draw_latency(report, kind)) is not None
        ],
        most_latencies=MOST_LATENCIES,
        orders=[
            (trend, _markup(draw_order(trend)), _trend_numbers(trend)) for trend in report.trends
        ],
        powers=list(_powers(report)),
        setup=_setup(report.outcomes),
        arguments=requested_and_effective(report.outcomes),
        rooflines=rooflines(report.outcomes),
        recipes=recipes(report.outcomes),
        value_text=value_text,
        number=_number,
    )


def _powers(report: Report) -> Iterator[tuple[Outcome, str, list[Markup], list[Curve], list[str]]]:
    """Yield each run with power over time: its label, figures, curves, and shaded phases."""
    for outcome in report.outcomes:
        if curves := report.curves.get(outcome.id):
            phases = report.phases.get(outcome.id, {})
            drawn = (draw(outcome, curves, phases) for draw in (draw_power, draw_first_window))
            figures = [_markup(svg) for svg in drawn if svg is not None]
            yield outcome, report.label_of(outcome), figures, curves, [*phases]


def _row(report: Report, outcome: Outcome) -> dict[str, Any]:
    found = settings(outcome)
    return {
        "outcome": outcome,
        "series": report.series_of(outcome),
        "settings": [found.get(path) for path in report.varying],
        "numbers": [
            SourcedNumber(metric.of(outcome), f"{outcome.id}#{metric.name}")
            for metric in report.metrics
        ],
    }


def _number(number: SourcedNumber) -> Markup:
    """Return a number as an element with its exact value and its source."""
    if number.value is None:
        return Markup('<span class="none" title="not measured">-</span>')
    return Markup('<data value="{}" data-from="{}">{}</data>').format(
        repr(number.value), number.source, number.shown
    )


def _effects(
    report: Report,
) -> Iterator[tuple[Metric, Markup, list[tuple[ParameterEffect, list[SourcedNumber]]]]]:
    for effects in report.effects_by_metric.values():
        if (svg := draw_effects(effects)) is not None:
            rows = [(effect, _effect_numbers(effect)) for effect in effects]
            yield effects[0].metric, _markup(svg), rows


def _effect_numbers(effect: ParameterEffect) -> list[SourcedNumber]:
    change, value = effect.change, canonical(effect.value)
    return [
        SourcedNumber(
            ratio,
            f"effect.{name} {effect.parameter} {value} {effect.metric.name}",
            "" if ratio is None else percent(ratio),
        )
        for name, ratio in (
            ("estimate", change.estimate),
            ("low", change.low),
            ("high", change.high),
        )
    ]


def _trend_numbers(trend: Trend) -> tuple[SourcedNumber, SourcedNumber]:
    name, slope = trend.metric.name, trend.slope_ratio
    return (
        SourcedNumber(slope, f"trend.slope {name}", percent(slope)),
        SourcedNumber(trend.p, f"trend.p {name}", probability(trend.p)),
    )


def _setup(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    """Return the distinct values of each fact about model, workload and machine."""
    facts: dict[str, list[str]] = {}
    for outcome in outcomes:
        environment, workload = outcome.environment, outcome.workload
        model = outcome.experiment.get("model", {})
        for name, value in (
            ("model", model.get("id") if isinstance(model, dict) else None),
            ("backend", outcome.experiment.get("backend")),
            ("engine", f"{environment.engine or ''} {environment.engine_version or ''}".strip()),
            ("devices", ", ".join(environment.devices)),
            ("processor", environment.cpu),
            ("cores", environment.logical_cores),
            ("memory in bytes", environment.memory_bytes),
            ("GPUs", environment.gpus and json.dumps(environment.gpus, ensure_ascii=False)),
            ("system", environment.system),
            ("python", environment.python),
            ("llem", environment.llem_version),
            ("requests per repetition", workload and workload.requests),
            ("input tokens hash", workload and workload.input_ids_sha256),
        ):
            if value not in (None, "", ()) and str(value) not in facts.setdefault(name, []):
                facts[name].append(str(value))
    return {name: values for name, values in facts.items() if values}


def _markup(text: str) -> Markup:
    """Mark figures, styles and script of this package, which escape their inputs, as HTML."""
    return Markup(text)  # noqa: S704 - made here


def _resource(name: str) -> str:
    return resources.files("llem.report.study_report").joinpath(name).read_text("utf-8")
