"""The report as Markdown: the same content, for a repository or a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from llem.report.comparison.phrasing import ends, percent
from llem.report.content.study_report import Report
from llem.report.content.summary import Rates, Summary
from llem.report.outcome_table import number
from llem.report.reproduction import reproduction
from llem.report.varied_parameters import canonical, settings
from llem.tables import Table, escape_markdown, render_markdown


def markdown(report: Report) -> str:
    """Return the report as Markdown."""
    parts = [f"# {escape_markdown(report.title)}", ""]
    if report.nothing_valid:
        parts += [
            "**No outcome is valid**: all figures rest on what their verdicts speak against.",
            "",
        ]
    parts += ["## Summary", "", *(f"- {_summary(one)}" for one in report.summaries), ""]
    if rates := _rates(report.rates):
        parts += [rates, ""]
    parts += ["## Verdicts", "", *_verdicts(report), ""]
    parts += ["## Results", "", _results(report), ""]
    if report.effects:
        parts += ["## What each parameter does", "", _effects(report), ""]
    parts += ["## Measure it again", ""]
    for one in reproduction(report.outcomes):
        parts += [f"{escape_markdown(', '.join(one.ids))}:", "", *_fenced(one.config), ""]
    return "\n".join(parts).rstrip()


def _summary(one: Summary) -> str:
    interval = ""
    if one.low_wh.value is not None:
        interval = f", 95 % in {one.low_wh.shown} … {one.high_wh.shown} Wh"
    text = (
        f"{one.label}: {'estimated ' if one.estimated else ''}{one.gross_wh.shown} Wh gross and "
        f"{one.net_wh.shown} Wh net per 1,000 requests{interval}, a request having "
        f"{one.input_tokens.shown} input and {one.output_tokens.shown} output tokens."
    )
    if one.carbon_g is not None:
        text += f" {one.carbon_g.shown} g CO₂e."
    if one.cost is not None:
        text += f" Electricity for {one.cost.shown}."
    return escape_markdown(f"{text} {one.boundary}")


def _rates(rates: Rates) -> str:
    """Return the factors behind emissions and cost in one sentence; empty if there are none."""
    given = [(rates.carbon_g_per_kwh, "g CO₂e"), (rates.price_per_kwh, rates.currency)]
    parts = [f"{number(value)} {unit} per kWh" for value, unit in given if value is not None]
    if not parts:
        return ""
    source = f" (mean of {rates.grid_source})" if rates.country else ""
    pue = f", and a PUE of {number(rates.pue_ratio)}" if rates.pue_ratio != 1 else ""
    return escape_markdown(f"Counted with {' and '.join(parts)}, as given{source}{pue}.")


def _verdicts(report: Report) -> Iterator[str]:
    valid = sum(outcome.verdict.valid for outcome in report.outcomes)
    yield f"{valid} of {len(report.outcomes)} outcomes are valid."
    if report.reasons:
        yield ""
        rows = [(code, str(count), hint) for code, count, hint in report.reasons]
        yield _table(("reason", "outcomes", "what to do"), rows)


def _results(report: Report) -> str:
    header = ["run", *report.varying, "verdict"]
    header += [f"{one.name}" for one in report.metrics]
    rows = []
    for outcome in report.outcomes:
        found = settings(outcome)
        verdict = "valid" if outcome.verdict.valid else "not valid"
        rows.append(
            [
                outcome.id,
                *(canonical(found.get(path)) for path in report.varying),
                verdict if outcome.status == "done" else outcome.status,
                *(number(one.of(outcome)) for one in report.metrics),
            ]
        )
    return _table(header, rows)


def _effects(report: Report) -> str:
    rows = [
        (
            one.parameter,
            canonical(one.value),
            canonical(one.baseline),
            one.metric.name,
            percent(one.change.estimate),
            ends(one.change, relative=True),
        )
        for one in report.effects
    ]
    return _table(("parameter", "value", "baseline", "metric", "change", "95 %"), rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return render_markdown(Table.of_texts(header, rows), literal=True)


def _fenced(text: str) -> list[str]:
    """Return ``text`` as a code block that nothing in it can end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}yaml", text.rstrip(), fence]
