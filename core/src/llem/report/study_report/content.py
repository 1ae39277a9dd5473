"""The content of a report: all that its pages and figures show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from llem.report.load_outcomes import StoredOutcome, outcomes_of
from llem.report.metrics import METRICS, Metric
from llem.report.study_report.effects import (
    ParameterEffect,
    Trend,
    order_trend,
    parameter_effects,
)
from llem.report.study_report.power_over_time import Curve, phase_spans, power_curves
from llem.report.study_report.summary import Rates, Summary, summarize
from llem.report.varied_parameters import canonical, label, settings, varying
from llem.results.series_files import Spans
from llem.schema.outcome import Outcome
from llem.schema.reason_codes import CATALOG

COLUMNS = (
    "j_per_output_token", "net_j_per_output_token", "j_per_request", "j_per_prefill_token",
    "j_per_decode_token", "output_tokens_per_s", "mean_w", "ttft_s_p50", "itl_s_p50",
    "e2e_s_p50", "e2e_s_p99", "device_peak_bytes", "host_peak_rss_bytes",
)  # fmt: skip
"""Metrics of the table of results; a metric that no outcome has is left out."""

_EFFECTS_ON = ("j_per_output_token", "output_tokens_per_s")
_MOST_SUMMARIES = 4
_MOST_CURVES = 30
_MOST_SERIES = 8


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a report.

    Attributes:
        title: Name of the study, or of the folder.
        stored: Its outcomes, in the order in which they ran.
        varying: Settings that differ between outcomes.
        metrics: The metrics that at least one outcome has.
        summaries: A summary of each variant, the least energy per request first.
        more_variants: Number of further variants, which have no summary.
        reasons: Each reason code with its number of outcomes and its hint.
        on_front: Positions of the Pareto front of energy per token and throughput.
        series_by: The parameter that colors the figures; ``None`` for a single series.
        effects: The effect of each value of each parameter.
        trends: Whether the order of the runs mattered.
        curves: Power over time of the first runs, by outcome id.
        phases: Spans of prefill and decode of the same runs, where the engine tells them.
        rates: Rates of carbon and cost.
        nothing_valid: Whether all figures rest on invalid outcomes, as there is no valid one.
    """

    title: str
    stored: tuple[StoredOutcome, ...]
    varying: tuple[str, ...]
    metrics: tuple[Metric, ...]
    summaries: tuple[Summary, ...]
    more_variants: int
    reasons: tuple[tuple[str, int, str], ...]
    on_front: tuple[int, ...]
    series_by: str | None
    effects: tuple[ParameterEffect, ...]
    trends: tuple[Trend, ...]
    curves: dict[str, list[Curve]]
    phases: dict[str, Spans]
    rates: Rates
    nothing_valid: bool

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes without their folders."""
        return outcomes_of(self.stored)

    @property
    def effects_by_metric(self) -> dict[str, list[ParameterEffect]]:
        """The effects by the name of the metric."""
        found: dict[str, list[ParameterEffect]] = {}
        for effect in self.effects:
            found.setdefault(effect.metric.name, []).append(effect)
        return found

    def label_of(self, outcome: Outcome) -> str:
        """Return the varying settings of ``outcome`` on one line; empty if nothing varies."""
        return label(_values(outcome, self.varying))

    def series_of(self, outcome: Outcome) -> str:
        """Return the name of the series that ``outcome`` belongs to in figures."""
        return label(_values(outcome, [self.series_by])) if self.series_by else "all"


def build_report(title: str, stored: Sequence[StoredOutcome], rates: Rates) -> Report:
    """Return the content of a report of ``stored``."""
    ordered = sorted(
        stored, key=lambda item: (item.outcome.environment.started_at, item.outcome.id)
    )
    outcomes = outcomes_of(ordered)
    parameters = varying(outcomes)
    done = [item for item in ordered if item.outcome.status == "done"]
    valid = [item for item in done if item.outcome.verdict.valid]
    usable = valid or done
    summaries = _summaries(outcomes_of(usable), parameters, rates)
    drawn = done[:_MOST_CURVES]
    curves = {item.outcome.id: found for item in drawn if (found := power_curves(item))}
    trends = [order_trend(usable, METRICS[name]) for name in _EFFECTS_ON]
    return Report(
        title=title,
        stored=tuple(ordered),
        varying=tuple(parameters),
        metrics=tuple(
            METRICS[name]
            for name in COLUMNS
            if any(METRICS[name].of(outcome) is not None for outcome in outcomes)
        ),
        summaries=tuple(summaries[:_MOST_SUMMARIES]),
        more_variants=max(0, len(summaries) - _MOST_SUMMARIES),
        reasons=_reasons(outcomes),
        on_front=_on_front(outcomes, {item.outcome.id for item in usable}),
        series_by=_series_by(outcomes, parameters),
        effects=tuple(parameter_effects(usable, [METRICS[name] for name in _EFFECTS_ON])),
        trends=tuple(trend for trend in trends if trend is not None),
        curves=curves,
        phases={
            item.outcome.id: spans
            for item in drawn
            if item.outcome.id in curves and (spans := phase_spans(item))
        },
        rates=rates,
        nothing_valid=bool(done) and not valid,
    )


def _summaries(
    outcomes: Sequence[Outcome], parameters: Sequence[str], rates: Rates
) -> list[Summary]:
    variants: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        variants.setdefault(canonical(_values(outcome, parameters)), []).append(outcome)
    summaries = [
        summarize(label(_values(runs[0], parameters)) or "the experiment", runs, rates)
        for runs in variants.values()
    ]
    known = [summary for summary in summaries if summary is not None]
    return sorted(known, key=lambda summary: summary.gross_wh.value or 0.0)


def _values(outcome: Outcome, parameters: Sequence[str]) -> dict[str, Any]:
    found = settings(outcome)
    return {path: found.get(path) for path in parameters}


def _reasons(outcomes: Sequence[Outcome]) -> tuple[tuple[str, int, str], ...]:
    hints = {entry.code: entry.hint for entry in CATALOG}
    counts = Counter(
        code for outcome in outcomes for code in {reason.code for reason in outcome.verdict.reasons}
    )
    return tuple((code, count, hints.get(code, "")) for code, count in counts.most_common())


def _on_front(outcomes: Sequence[Outcome], usable: Collection[str]) -> tuple[int, ...]:
    cost, gain = METRICS["j_per_output_token"], METRICS["output_tokens_per_s"]
    known = [
        (at, energy_j, speed)
        for at, outcome in enumerate(outcomes)
        if outcome.id in usable
        and (energy_j := cost.of(outcome)) is not None
        and (speed := gain.of(outcome)) is not None
    ]
    front = pareto_front([(energy_j, speed) for _, energy_j, speed in known])
    return tuple(known[at][0] for at in front)


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the positions of the Pareto front, by rising cost.

    Args:
        points: Cost (lower is better) and gain (higher is better) of each point.
    """
    ranked = sorted(range(len(points)), key=lambda at: (points[at][0], -points[at][1]))
    best, found = float("-inf"), []
    for at in ranked:
        if points[at][1] > best:
            best = points[at][1]
            found.append(at)
    return found


def _series_by(outcomes: Sequence[Outcome], parameters: Sequence[str]) -> str | None:
    """Return the first parameter with few enough values for distinct colors."""
    for path in parameters:
        values = {canonical(settings(outcome).get(path)) for outcome in outcomes}
        if len(values) <= _MOST_SERIES:
            return path
    return None
