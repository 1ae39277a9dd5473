"""An answer as JSON data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llem.report.comparison.compare import Answer, Comparison
from llem.report.comparison.gate import Judgement, overall
from llem.report.comparison.inference import Effect, Interval
from llem.report.comparison.words import conclusion, notes


def document(answer: Answer, judgements: Sequence[Judgement] = ()) -> dict[str, Any]:
    """Return ``answer``, and how its limits fared, as JSON data.

    Relative figures are ratios less one: 0.03 is 3 % more.
    """
    data: dict[str, Any] = {
        "comparisons": [_comparison(one) for one in answer.comparisons],
        "differing": [
            {"name": name, "base": ours, "new": theirs} for name, ours, theirs in answer.differing
        ],
        "unlike": [respect._asdict() for respect in answer.allowed],
        "left_out": [{"id": id, "reason": why} for id, why in answer.left_out],
        "missing": list(answer.missing),
        "wanted_ratio": answer.wanted_ratio,
        "notes": list(notes(answer)),
    }
    if judgements:
        data["gate"] = {
            "state": overall(judgements),
            "limits": [
                {
                    "limit": str(one.limit),
                    "variant": one.comparison.match.variant,
                    "held": one.comparison.match.held,
                    "state": one.state,
                }
                for one in judgements
            ],
        }
    return data


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "metric": one.metric.name,
        "unit": one.metric.unit,
        "variant": one.match.variant,
        "baseline": one.match.base_values,
        "held": one.match.held,
        "base_outcomes": [stored.outcome.id for stored in one.match.base],
        "new_outcomes": [stored.outcome.id for stored in one.match.new],
        "unit_of_replication": one.samples.unit,
        "paired": one.samples.paired,
        "base_values": list(one.samples.base),
        "new_values": list(one.samples.new),
        "base_mean": one.base_mean,
        "new_mean": one.new_mean,
        "difference": _effect(one.difference),
        "change_ratio": _effect(one.change),
        "bootstrap": _interval(one.bootstrap),
        "gain_error_ratio": one.gain_error,
        "p": one.p,
        "p_holm": one.p_holm,
        "found": one.found,
        "smallest_detectable": one.smallest_detectable,
        "repetitions_needed": one.repetitions_needed,
        "conclusion": conclusion(one),
    }


def _effect(effect: Effect | None) -> dict[str, float | None] | None:
    return None if effect is None else _interval(effect.interval())


def _interval(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    return {
        "estimate": interval.estimate, "ci95_low": interval.low, "ci95_high": interval.high
    }  # fmt: skip
