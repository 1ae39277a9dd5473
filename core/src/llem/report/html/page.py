"""Fill the page: content and figures into the template, styles and script inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, select_autoescape
from markupsafe import Markup

from llem.report.comparison.phrasing import percent, probability
from llem.report.content.power_curves import Curve
from llem.report.content.study_report import Report
from llem.report.content.summary import Figure, Rates
from llem.report.effective_arguments import requested_and_effective
from llem.report.figures.effects_plot import effects
from llem.report.figures.latency_plot import KINDS, MOST_ROWS, latency
from llem.report.figures.order_plot import order
from llem.report.figures.power_plot import closeup, power
from llem.report.figures.tradeoff_plot import series_names, tradeoff
from llem.report.metrics import Metric
from llem.report.reproduction import reproduction
from llem.report.roofline import rooflines
from llem.report.varied_parameters import canonical, settings
from llem.schema.outcome import Outcome


def page(report: Report) -> str:
    """Return the report as HTML.

    Everything that comes from configs, logs and engines is escaped by the template.
    """
    environment = Environment(
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.from_string(_resource("html", "page.html.j2"))
    return template.render(
        report=report,
        style=_markup(_resource("figures", "figure.css") + _resource("html", "page.css")),
        script=_markup(_resource("html", "page.js")),
        boundaries=list(dict.fromkeys(one.boundary for one in report.summaries)),
        given=_given(report.rates),
        pue=Figure(report.rates.pue_ratio, "given") if report.rates.pue_ratio != 1 else None,
        rows=[_row(report, outcome) for outcome in report.outcomes],
        on_front={report.outcomes[at].id for at in report.on_front},
        series=series_names(report),
        tradeoff=_markup(tradeoff(report) or ""),
        effects=list(_effects(report)),
        latencies=[
            (what, _markup(drawn))
            for kind, what in KINDS.items()
            if (drawn := latency(report, kind)) is not None
        ],
        most_latencies=MOST_ROWS,
        orders=[(one, _markup(order(one)), _trend_text(one)) for one in report.trends],
        powers=list(_powers(report)),
        surroundings=list(_surroundings(report.outcomes)),
        requested=requested_and_effective(report.outcomes),
        rooflines=rooflines(report.outcomes),
        reproduction=reproduction(report.outcomes),
        canonical=canonical,
        number=_number,
    )


def _powers(report: Report) -> Iterator[tuple[Outcome, str, list[Markup], list[Curve], list[str]]]:
    """Yield every run with power over time: figures, curves, and the phases shaded in them."""
    for outcome in report.outcomes:
        if curves := report.curves.get(outcome.id):
            phases = report.phases.get(outcome.id, {})
            drawn = (make(outcome, curves, phases) for make in (power, closeup))
            figures = [_markup(one) for one in drawn if one is not None]
            yield outcome, report.label_of(outcome), figures, curves, [*phases]


def _given(rates: Rates) -> list[tuple[Figure, str]]:
    """Return what the user gave to count with."""
    given = [(rates.carbon_g_per_kwh, "g CO₂e"), (rates.price_per_kwh, rates.currency)]
    return [(Figure(value, "given"), unit) for value, unit in given if value is not None]


def _row(report: Report, outcome: Outcome) -> dict[str, Any]:
    found = settings(outcome)
    return {
        "outcome": outcome,
        "series": report.series_of(outcome),
        "settings": [found.get(path) for path in report.varying],
        "figures": [Figure(one.of(outcome), _source(one, outcome)) for one in report.metrics],
    }


def _source(metric: Metric, outcome: Outcome) -> str:
    return f"{outcome.id}#{metric.name}"


def _number(figure: Figure) -> Markup:
    """Return a number as an element that carries its exact value and where it comes from."""
    if figure.value is None:
        return Markup('<span class="none" title="not measured">-</span>')
    return Markup('<data value="{}" data-from="{}">{}</data>').format(
        repr(figure.value), figure.source, figure.shown
    )


def _effects(report: Report) -> Iterator[tuple[Metric, Markup, list[Any]]]:
    for metric in dict.fromkeys(one.metric.name for one in report.effects):
        mine = [one for one in report.effects if one.metric.name == metric]
        drawn = effects(mine)
        if drawn is not None:
            rows = [
                (
                    one,
                    *(
                        Figure(
                            value,
                            f"effect.{name} {one.parameter} {canonical(one.value)} {metric}",
                            "" if value is None else percent(value),
                        )
                        for name, value in (
                            ("estimate", one.change.estimate),
                            ("low", one.change.low),
                            ("high", one.change.high),
                        )
                    ),
                )
                for one in mine
            ]
            yield mine[0].metric, _markup(drawn), rows


def _trend_text(one: Any) -> tuple[Figure, Figure]:
    name = one.metric.name
    return (
        Figure(one.slope_ratio, f"trend.slope {name}", percent(one.slope_ratio)),
        Figure(one.p, f"trend.p {name}", probability(one.p)),
    )


def _surroundings(outcomes: list[Outcome]) -> Iterator[tuple[str, list[str]]]:
    """Yield what was measured and on what, each fact with its distinct values."""
    facts: dict[str, list[str]] = {}
    for outcome in outcomes:
        environment = outcome.environment
        model, workload = outcome.experiment.get("model", {}), outcome.workload
        for name, value in (
            ("model", model.get("id") if isinstance(model, dict) else None),
            ("backend", outcome.experiment.get("backend")),
            ("engine", _engine(outcome)),
            ("devices", ", ".join(environment.devices) or None),
            ("processor", environment.cpu or None),
            ("cores", _text(environment.logical_cores)),
            ("memory in bytes", _text(environment.memory_bytes)),
            (
                "GPUs",
                json.dumps(environment.gpus, ensure_ascii=False) if environment.gpus else None,
            ),
            ("system", environment.system or None),
            ("python", environment.python),
            ("llem", environment.llem_version),
            ("requests per repetition", str(workload.requests) if workload else None),
            ("input tokens hash", workload.input_ids_sha256 if workload else None),
        ):
            if value is not None and value not in facts.setdefault(name, []):
                facts[name].append(value)
    yield from ((name, values) for name, values in facts.items() if values)


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _engine(outcome: Outcome) -> str | None:
    environment = outcome.environment
    if environment.engine is None:
        return None
    return f"{environment.engine} {environment.engine_version or ''}".strip()


def _markup(text: str) -> Markup:
    """Mark our own figures, styles and script, which escape what they take in, as HTML."""
    return Markup(text)  # noqa: S704 - made here


def _resource(room: str, name: str) -> str:
    return resources.files(f"llem.report.{room}").joinpath(name).read_text("utf-8")
