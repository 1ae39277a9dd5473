"""The content of a report: all that its pages and figures show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

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
from llem.report.varied_parameters import canonical, grouped, label, settings_at, varying
from llem.results.series_files import Spans
from llem.schema.outcome import Outcome
from llem.schema.reason_codes import CATALOG

COLUMNS = (
    "j_per_output_token", "net_j_per_output_token", "j_per_request", "j_per_prefill_token",
    "j_per_decode_token", "output_tokens_per_s", "mean_w", "ttft_s_p50", "itl_s_p50",
    "e2e_s_p50", "e2e_s_p99", "device_peak_bytes", "host_peak_rss_bytes",
)  # fmt: skip
"""Metrics of the table of results; a metric that no outcome has is left out."""

ENERGY, SPEED = METRICS["j_per_output_token"], METRICS["output_tokens_per_s"]
"""Metrics that parameters are shown to affect, and that are traded off."""

_MOST_SUMMARIES = 4
_MOST_CURVES = 30
_MOST_SERIES = 8


@dataclass(frozen=True)
class Report:
    """The content of a report, each part of it made when it is first asked for.

    Attributes:
        title: Name of the study, or of the folder.
        stored: Its outcomes, in the order in which they ran.
        rates: Rates of carbon and cost.
    """

    title: str
    stored: tuple[StoredOutcome, ...]
    rates: Rates

    @cached_property
    def outcomes(self) -> list[Outcome]:
        """The outcomes without their folders."""
        return outcomes_of(self.stored)

    @cached_property
    def varying(self) -> list[str]:
        """Settings that differ between outcomes."""
        return varying(self.outcomes)

    @cached_property
    def done(self) -> list[StoredOutcome]:
        """The outcomes whose run came to its end."""
        return [item for item in self.stored if item.outcome.status == "done"]

    @cached_property
    def nothing_valid(self) -> bool:
        """Whether all figures rest on invalid outcomes, as there is no valid one."""
        return bool(self.done) and not any(item.outcome.verdict.valid for item in self.done)

    @cached_property
    def usable(self) -> list[StoredOutcome]:
        """The outcomes that figures rest on: the valid ones, or all that are done if none is."""
        return [item for item in self.done if item.outcome.verdict.valid or self.nothing_valid]

    @cached_property
    def metrics(self) -> list[Metric]:
        """The metrics that at least one outcome has."""
        return [
            METRICS[name]
            for name in COLUMNS
            if any(METRICS[name].of(outcome) is not None for outcome in self.outcomes)
        ]

    @property
    def summaries(self) -> list[Summary]:
        """A summary of each variant, the least energy per request first."""
        return self._variants[:_MOST_SUMMARIES]

    @property
    def more_variants(self) -> int:
        """Number of further variants, which have no summary."""
        return max(0, len(self._variants) - _MOST_SUMMARIES)

    @cached_property
    def _variants(self) -> list[Summary]:
        variants = grouped(
            outcomes_of(self.usable),
            lambda outcome: canonical(settings_at(outcome, self.varying)),
        )
        summaries = [
            summarize(self.label_of(runs[0]) or "the experiment", runs, self.rates)
            for runs in variants.values()
        ]
        known = [summary for summary in summaries if summary is not None]
        return sorted(known, key=lambda summary: summary.gross_wh)

    @property
    def reasons(self) -> list[tuple[str, int, str]]:
        """Each reason code with its number of outcomes and its hint."""
        hints = {entry.code: entry.hint for entry in CATALOG}
        counts = Counter(
            code
            for outcome in self.outcomes
            for code in dict.fromkeys(reason.code for reason in outcome.verdict.reasons)
        )
        return [(code, count, hints.get(code, "")) for code, count in counts.most_common()]

    @cached_property
    def tradeoff(self) -> dict[int, tuple[float, float]]:
        """Energy per output token and output tokens per second, by position of the outcome."""
        return {
            at: (energy_j, speed)
            for at, outcome in enumerate(self.outcomes)
            if outcome.status == "done"
            and (energy_j := ENERGY.of(outcome)) is not None
            and (speed := SPEED.of(outcome)) is not None
        }

    @cached_property
    def on_front(self) -> list[int]:
        """Positions of the outcomes on the Pareto front of energy and speed, by rising energy."""
        known = [
            at for at in self.tradeoff if self.outcomes[at].verdict.valid or self.nothing_valid
        ]
        return [known[at] for at in pareto_front([self.tradeoff[at] for at in known])]

    @cached_property
    def series_by(self) -> str | None:
        """The parameter that colors the figures: the first with few enough values for colors."""
        for path in self.varying:
            values = {canonical(settings_at(outcome, [path])) for outcome in self.outcomes}
            if len(values) <= _MOST_SERIES:
                return path
        return None

    @cached_property
    def series(self) -> list[str]:
        """The names of the series, in the order of their first outcome."""
        return list(dict.fromkeys(map(self.series_of, self.outcomes)))

    @cached_property
    def _compared(self) -> tuple[list[ParameterEffect], dict[str, str]]:
        return parameter_effects(self.usable, [ENERGY, SPEED])

    @property
    def effects(self) -> list[ParameterEffect]:
        """The effect of each value of each parameter that `llem compare` compares."""
        return self._compared[0]

    @property
    def not_compared(self) -> dict[str, str]:
        """Parameters whose effect `llem compare` would refuse to state, each with the reason."""
        return self._compared[1]

    @property
    def effects_by_metric(self) -> dict[str, list[ParameterEffect]]:
        """The effects by the name of the metric."""
        return grouped(self.effects, lambda effect: effect.metric.name)

    @cached_property
    def trends(self) -> list[Trend]:
        """Whether the order of the runs mattered."""
        trends = (order_trend(self.usable, metric) for metric in (ENERGY, SPEED))
        return [trend for trend in trends if trend is not None]

    @cached_property
    def powers(self) -> dict[str, tuple[list[Curve], Spans]]:
        """Power over time and spans of the phases of the first runs, by outcome id."""
        return {
            item.outcome.id: (curves, phase_spans(item))
            for item in self.done[:_MOST_CURVES]
            if (curves := power_curves(item))
        }

    def label_of(self, outcome: Outcome) -> str:
        """Return the varying settings of ``outcome`` on one line; empty if nothing varies."""
        return label(settings_at(outcome, self.varying))

    def name_of(self, outcome: Outcome) -> str:
        """Return the label of ``outcome``, or its id if it has none."""
        return self.label_of(outcome) or outcome.id

    def series_of(self, outcome: Outcome) -> str:
        """Return the name of the series that ``outcome`` belongs to in figures."""
        return label(settings_at(outcome, [self.series_by])) if self.series_by else "all"


def build_report(title: str, stored: Sequence[StoredOutcome], rates: Rates) -> Report:
    """Return the report of ``stored``."""
    ordered = sorted(
        stored, key=lambda item: (item.outcome.environment.started_at, item.outcome.id)
    )
    return Report(title, tuple(ordered), rates)


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
