"""An answer for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import indent
from typing import Any

from llem.report.comparison.comparison import Comparison, ComparisonResult
from llem.report.comparison.inference import Effect, Interval
from llem.report.comparison.phrasing import (
    change,
    conclusion,
    detectable,
    differences,
    ends,
    held,
    judgement,
    needed,
    notes,
    probability,
)
from llem.report.comparison.regression_gate import Judgement, overall
from llem.report.outcome_table import number
from llem.tables import Table, escape_markdown, render_markdown, render_text

_HEADER = (
    "metric", "base", "new", "difference", "change", "95 % (t)", "95 % (bootstrap)", "p (Holm)",
    "values", "would be seen", "needed",
)  # fmt: skip


def text(answer: ComparisonResult, judgements: Sequence[Judgement] = ()) -> str:
    """Return ``answer`` as plain text: conclusions, figures, what differs, notes."""
    lines: list[str] = []
    for title, group in _by_match(answer):
        lines += [title, *(f"  {conclusion(one)}" for one in group), ""]
        lines += [_indented(_figures(group)), ""]
    if answer.differing:
        lines += ["What differs:", _indented(_differences(answer)), ""]
    lines += [f"note: {one}" for one in notes(answer)]
    if judgements:
        lines += ["", *(f"gate {judgement(one)}" for one in judgements)]
    return "\n".join(lines)


def markdown(answer: ComparisonResult, judgements: Sequence[Judgement] = ()) -> str:
    """Return the same as Markdown, for a pull request or a paper's notes."""
    lines: list[str] = []
    if judgements:
        lines += [
            *(f"- **gate {one.state}**: {escape_markdown(judgement(one))}" for one in judgements),
            "",
        ]
    for title, group in _by_match(answer):
        lines += [f"### {escape_markdown(title)}", ""]
        lines += [*(f"- {escape_markdown(conclusion(one))}" for one in group), ""]
        lines += [render_markdown(_figures(group), literal=True), ""]
    if answer.differing:
        lines += ["### What differs", "", render_markdown(_differences(answer), literal=True), ""]
    lines += [f"- {escape_markdown(one)}" for one in notes(answer)]
    return "\n".join(lines)


def _by_match(answer: ComparisonResult) -> Iterator[tuple[str, list[Comparison]]]:
    groups: dict[int, list[Comparison]] = {}
    for one in answer.comparisons:
        groups.setdefault(id(one.match), []).append(one)
    for group in groups.values():
        yield " ".join(filter(None, [group[0].match.name, held(group[0])])), group


def _cells(one: Comparison) -> tuple[str, ...]:
    unit = one.metric.unit
    values = f"{len(one.samples.base)} + {len(one.samples.new)} {one.samples.unit}s"
    return (
        one.metric.name,
        f"{number(one.base_mean)} {unit}",
        f"{number(one.new_mean)} {unit}",
        f"{one.difference.estimate:+.4g} {unit}",
        change(one) if one.change else "-",
        ends((one.change or one.difference).interval(), relative=one.change is not None),
        ends(one.bootstrap, relative=one.change is not None),
        probability(one.p_holm),
        f"{values}, paired" if one.samples.paired else values,
        detectable(one),
        needed(one),
    )


def _figures(group: Sequence[Comparison]) -> Table:
    return Table.of_texts(_HEADER, map(_cells, group))


def _differences(answer: ComparisonResult) -> Table:
    return Table.of_texts(("setting", "base", "new"), differences(answer))


def _indented(table: Table) -> str:
    return indent(render_text(table), "  ")


def document(answer: ComparisonResult, judgements: Sequence[Judgement] = ()) -> dict[str, Any]:
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
