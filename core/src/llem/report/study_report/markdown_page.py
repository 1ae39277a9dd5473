"""The report as Markdown: the same content, for a repository or a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from llem.errors import are, counted
from llem.report.formatting import interval_text, number, percent, plain_number
from llem.report.study_report.content import Report
from llem.report.study_report.evidence import recipes
from llem.report.study_report.summary import Rates, Summary
from llem.report.varied_parameters import canonical, settings_at
from llem.schema.outcome import Outcome
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
    if report.effects or report.not_compared:
        parts += ["## Effect of each parameter", ""]
        parts += [_effects(report), ""] if report.effects else []
        parts += [*_not_compared(report), ""] if report.not_compared else []
    parts += ["## Run it again", ""]
    for recipe in recipes(report.outcomes):
        parts += [f"{escape_markdown(', '.join(recipe.ids))}:", "", *_fenced(recipe.config), ""]
    return "\n".join(parts).rstrip()


def _summary(summary: Summary, currency: str) -> str:
    interval = ""
    if summary.low_wh is not None:
        interval = f", 95 % in {number(summary.low_wh)} … {number(summary.high_wh)} Wh"
    text = (
        f"{summary.label}: {'estimated ' if summary.estimated else ''}"
        f"{number(summary.gross_wh)} Wh gross and {number(summary.net_wh)} Wh net per 1,000 "
        f"requests{interval}; a request has {number(summary.input_tokens)} input and "
        f"{number(summary.output_tokens)} output tokens."
    )
    if summary.carbon_g is not None:
        text += f" {plain_number(summary.carbon_g)} g CO₂e."
    if summary.cost is not None:
        text += f" Electricity costs {plain_number(summary.cost)} {currency}".rstrip() + "."
    return escape_markdown(f"{text} {summary.boundary}")


def _rates(rates: Rates) -> str:
    """Return the factors behind emissions and cost in one sentence; empty if there are none."""
    parts = [f"{number(rate)} {unit} per kWh ({source})" for rate, unit, source in rates.stated]
    pue = f", at a PUE of {number(rates.pue_ratio)}" if rates.pue_ratio != 1 else ""
    return escape_markdown(f"Computed with {' and '.join(parts)}{pue}.") if parts else ""


def _verdicts(report: Report) -> Iterator[str]:
    valid = sum(outcome.verdict.valid for outcome in report.outcomes)
    yield f"{valid} of {counted(len(report.outcomes), 'outcome')} {are(valid)} valid."
    if report.reasons:
        yield ""
        rows = [(code, str(count), hint) for code, count, hint in report.reasons]
        yield _table(("reason", "outcomes", "what to do"), rows)


def _results(report: Report) -> str:
    header = ["run", *report.varying, "verdict", *(metric.name for metric in report.metrics)]
    rows = [
        [
            outcome.id,
            *map(canonical, settings_at(outcome, report.varying).values()),
            _verdict(outcome),
            *(number(metric.of(outcome)) for metric in report.metrics),
        ]
        for outcome in report.outcomes
    ]
    return _table(header, rows)


def _verdict(outcome: Outcome) -> str:
    if outcome.status != "done":
        return outcome.status
    return "valid" if outcome.verdict.valid else "not valid"


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


def _not_compared(report: Report) -> Iterator[str]:
    yield "No effect is stated where `llem compare --by PARAMETER` compares nothing:"
    yield ""
    for parameter, reason in report.not_compared.items():
        yield f"- {escape_markdown(f'{parameter}: {reason}')}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return render_markdown(Table.of_texts(header, rows), literal=True)


def _fenced(text: str) -> list[str]:
    """Return ``text`` as a code block with a fence longer than any in ``text``."""
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}yaml", text.rstrip(), fence]
