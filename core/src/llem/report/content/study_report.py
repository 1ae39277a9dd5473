"""Everything that a report of a study says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from llem.report.content.parameter_effects import ParameterEffect, parameter_effects
from llem.report.content.power_curves import Curve, curves, phases
from llem.report.content.summary import Rates, Summary, summarise
from llem.report.content.trend import Trend, trend
from llem.report.load_outcomes import Stored
from llem.report.metrics import METRICS, Metric
from llem.report.varied_parameters import canonical, label, settings, varying
from llem.results.series_files import Spans
from llem.schema.outcome import Outcome
from llem.schema.reason_codes import CATALOGUE


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the positions of the Pareto front, by rising cost.

    Args:
        points: Cost (lower is better) and gain (higher is better) of each.
    """
    ranked = sorted(range(len(points)), key=lambda at: (points[at][0], -points[at][1]))
    best, found = float("-inf"), []
    for at in ranked:
        if points[at][1] > best:
            best = points[at][1]
            found.append(at)
    return found


COLUMNS = (
    "j_per_output_token", "net_j_per_output_token", "j_per_request", "j_per_prefill_token",
    "j_per_decode_token", "output_tokens_per_s", "mean_w", "ttft_s_p50", "itl_s_p50",
    "e2e_s_p50", "e2e_s_p99", "device_peak_bytes", "host_peak_rss_bytes",
)  # fmt: skip
"""Metrics of the table; those that no outcome has are left out."""

_EFFECTS_ON = ("j_per_output_token", "output_tokens_per_s")
_MOST_SUMMARIES = 4
_MOST_CURVES = 30
_MOST_SERIES = 8


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a report.

    Attributes:
        title: Name of the study, or of the folder.
        stored: Its outcomes, in the order in which they were run.
        varying: Parameters that tell the outcomes apart.
        metrics: The metrics that at least one outcome has.
        summaries: Plain-language summaries, the least energy per request first.
        more_variants: How many variants have none because they are too many.
        reasons: Reason codes with how many outcomes they speak against, and what to do.
        on_front: Positions of the Pareto front of energy per token and throughput.
        series_by: The parameter by which figures are coloured; ``None`` for a single series.
        effects: What each parameter does.
        trends: Whether order mattered.
        curves: Power over time of the first runs, by outcome id.
        phases: When they read prompts and when they generated, for those that tell.
        rates: Rates of carbon and cost.
        nothing_valid: Whether, for want of a valid one, everything rests on invalid outcomes.
    """

    title: str
    stored: tuple[Stored, ...]
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
        """The outcomes alone."""
        return [one.outcome for one in self.stored]

    def label_of(self, outcome: Outcome) -> str:
        """Return what tells ``outcome`` apart, on one line; empty if nothing varies."""
        return label(_chosen(outcome, self.varying))

    def series_of(self, outcome: Outcome) -> str:
        """Return the name of the series that ``outcome`` belongs to in figures."""
        if self.series_by is None:
            return "all"
        return label({self.series_by: settings(outcome).get(self.series_by)})


def build(title: str, stored: Sequence[Stored], rates: Rates) -> Report:
    """Compute what a report of ``stored`` says."""
    ordered = sorted(stored, key=lambda one: (one.outcome.environment.started_at, one.outcome.id))
    outcomes = [one.outcome for one in ordered]
    apart = varying(outcomes)
    done = [one for one in ordered if one.outcome.status == "done"]
    valid = [one for one in done if one.outcome.verdict.valid]
    usable = valid or done
    summaries = _summaries(usable, apart, rates)
    drawn = [(one, power_w) for one in done[:_MOST_CURVES] if (power_w := curves(one))]
    return Report(
        title=title,
        stored=tuple(ordered),
        varying=tuple(apart),
        metrics=tuple(
            METRICS[name]
            for name in COLUMNS
            if any(METRICS[name].of(outcome) is not None for outcome in outcomes)
        ),
        summaries=tuple(summaries[:_MOST_SUMMARIES]),
        more_variants=max(0, len(summaries) - _MOST_SUMMARIES),
        reasons=_reasons(outcomes),
        on_front=_on_front(outcomes, {one.outcome.id for one in usable}),
        series_by=_series_by(outcomes, apart),
        effects=tuple(parameter_effects(usable, [METRICS[name] for name in _EFFECTS_ON])),
        trends=tuple(
            found
            for name in _EFFECTS_ON
            if (found := trend(usable, METRICS[name])) is not None
        ),
        curves={one.outcome.id: power_w for one, power_w in drawn},
        phases={one.outcome.id: spans for one, _ in drawn if (spans := phases(one))},
        rates=rates,
        nothing_valid=bool(done) and not valid,
    )  # fmt: skip


def _summaries(usable: Sequence[Stored], apart: Sequence[str], rates: Rates) -> list[Summary]:
    groups: dict[str, list[Outcome]] = {}
    for one in usable:
        groups.setdefault(canonical(_chosen(one.outcome, apart)), []).append(one.outcome)
    found = (
        summarise(label(_chosen(group[0], apart)) or "the experiment", group, rates)
        for group in groups.values()
    )
    known = [one for one in found if one is not None]
    return sorted(known, key=lambda one: one.gross_wh.value or 0.0)


def _chosen(outcome: Outcome, apart: Sequence[str]) -> dict[str, Any]:
    found = settings(outcome)
    return {path: found.get(path) for path in apart}


def _reasons(outcomes: Sequence[Outcome]) -> tuple[tuple[str, int, str], ...]:
    remedies = {entry.code: entry.hint for entry in CATALOGUE}
    counts = Counter(
        code for outcome in outcomes for code in {reason.code for reason in outcome.verdict.reasons}
    )
    return tuple((code, count, remedies.get(code, "")) for code, count in counts.most_common())


def _on_front(outcomes: Sequence[Outcome], usable: Collection[str]) -> tuple[int, ...]:
    cost, gain = METRICS["j_per_output_token"], METRICS["output_tokens_per_s"]
    known = [
        (at, energy_j, speed)
        for at, outcome in enumerate(outcomes)
        if outcome.id in usable
        and (energy_j := cost.of(outcome)) is not None
        and (speed := gain.of(outcome)) is not None
    ]
    return tuple(known[at][0] for at in front([(energy, speed) for _, energy, speed in known]))


def _series_by(outcomes: Sequence[Outcome], apart: Sequence[str]) -> str | None:
    """Return the first parameter whose values colours can tell apart."""
    for path in apart:
        values = {canonical(settings(outcome).get(path)) for outcome in outcomes}
        if len(values) <= _MOST_SERIES:
            return path
    return None
