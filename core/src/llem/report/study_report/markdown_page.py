"""The report as Markdown: the same content, for a repository or a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from llem.report.formatting import interval_text, number, percent
from llem.report.study_report.content import Report
from llem.report.study_report.evidence import recipes
from llem.report.study_report.summary import Rates, Summary
from llem.report.varied_parameters import canonical, settings
from llem.tables import Table, escape_markdown, render_markdown


def markdown_page(report: Report) -> str:
    """Return the report as Markdown."""
    parts = [f"# {escape_markdown(report.title)}", ""]
    if report.nothing_valid:
        parts += ["**No outcome is valid**: all figures rest on invalid outcomes.", ""]
    currency = report.rates.currency
    summaries = [f"- {_summary(summary, currency)}" for summary in report.summaries]
    parts += ["## Summary", "", *summaries, ""]
    if rates := _rates(report.rates):
        parts += [rates, ""]
    parts += ["## Verdicts", "", *_verdicts(report), ""]
    parts += ["## Results", "", _results(report), ""]
    if report.effects:
        parts += ["## Effect of each parameter", "", _effects(report), ""]
    parts += ["## Run it again", ""]
    for recipe in recipes(report.outcomes):
        parts += [f"{escape_markdown(', '.join(recipe.ids))}:", "", *_fenced(recipe.config), ""]
    return "\n".join(parts).rstrip()


def _summary(summary: Summary, currency: str) -> str:
    interval = ""
    if summary.low_wh.value is not None:
        interval = f", 95 % in {summary.low_wh.shown} … {summary.high_wh.shown} Wh"
    text = (
        f"{summary.label}: {'estimated ' if summary.estimated else ''}{summary.gross_wh.shown} Wh "
        f"gross and {summary.net_wh.shown} Wh net per 1,000 requests{interval}; a request has "
        f"{summary.input_tokens.shown} input and {summary.output_tokens.shown} output tokens."
    )
    if summary.carbon_g is not None:
        text += f" {summary.carbon_g.shown} g CO₂e."
    if summary.cost is not None:
        text += f" Electricity costs {summary.cost.shown} {currency}".rstrip() + "."
    return escape_markdown(f"{text} {summary.boundary}")


def _rates(rates: Rates) -> str:
    """Return the factors behind emissions and cost in one sentence; empty if there are none."""
    parts = [f"{rate.shown} {unit} per kWh ({source})" for rate, unit, source in rates.stated]
    pue = f", at a PUE of {rates.pue.shown}" if rates.pue else ""
    return escape_markdown(f"Computed with {' and '.join(parts)}{pue}.") if parts else ""


def _verdicts(report: Report) -> Iterator[str]:
    valid = sum(outcome.verdict.valid for outcome in report.outcomes)
    yield f"{valid} of {len(report.outcomes)} outcomes are valid."
    if report.reasons:
        yield ""
        rows = [(code, str(count), hint) for code, count, hint in report.reasons]
        yield _table(("reason", "outcomes", "what to do"), rows)


def _results(report: Report) -> str:
    header = ["run", *report.varying, "verdict", *(metric.name for metric in report.metrics)]
    rows = []
    for outcome in report.outcomes:
        found = settings(outcome)
        verdict = "valid" if outcome.verdict.valid else "not valid"
        rows.append(
            [
                outcome.id,
                *(canonical(found.get(path)) for path in report.varying),
                verdict if outcome.status == "done" else outcome.status,
                *(number(metric.of(outcome)) for metric in report.metrics),
            ]
        )
    return _table(header, rows)


def _effects(report: Report) -> str:
    rows = [
        (
            effect.parameter,
            canonical(effect.value),
            canonical(effect.baseline),
            effect.metric.name,
            percent(effect.change.estimate),
            interval_text(effect.change.low, effect.change.high, relative=True),
        )
        for effect in report.effects
    ]
    return _table(("parameter", "value", "baseline", "metric", "change", "95 %"), rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return render_markdown(Table.of_texts(header, rows), literal=True)


def _fenced(text: str) -> list[str]:
    """Return ``text`` as a code block with a fence longer than any in ``text``."""
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}yaml", text.rstrip(), fence]
