"""A comparison as text, as Markdown and as JSON: the conclusions first, then their evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from textwrap import indent
from typing import Any

from llem.errors import counted
from llem.report.comparison.comparison import Comparison, ComparisonResult
from llem.report.comparison.inference import LEAST_FOR_BOOTSTRAP, POWER, Interval
from llem.report.comparison.regression_gate import LimitCheck, overall
from llem.report.formatting import interval_text, number, percent, probability
from llem.report.varied_parameters import grouped, value_text
from llem.tables import Table, escape_markdown, render_markdown, render_text

_MOST_VALUES = 4


def text(result: ComparisonResult, checks: Sequence[LimitCheck] = ()) -> str:
    """Return ``result`` as plain text."""
    lines: list[str] = []
    for title, sentences, table in _parts(result):
        lines += [title, *(f"  {sentence}" for sentence in sentences)]
        lines += [*([""] if sentences else []), indent(render_text(table), "  "), ""]
    lines += [f"note: {note}" for note in notes(result)]
    if checks:
        lines += ["", *(f"gate {_check_text(check)}" for check in checks)]
    return "\n".join(lines)


def markdown(result: ComparisonResult, checks: Sequence[LimitCheck] = ()) -> str:
    """Return the same as Markdown, for a pull request or a paper's notes."""
    lines = [f"- **gate {check.state}**: {escape_markdown(_check_text(check))}" for check in checks]
    if checks:
        lines.append("")
    for title, sentences, table in _parts(result):
        lines += [f"### {escape_markdown(title)}", ""]
        lines += [f"- {escape_markdown(sentence)}" for sentence in sentences]
        lines += [*([""] if sentences else []), render_markdown(table, literal=True), ""]
    lines += [f"- {escape_markdown(note)}" for note in notes(result)]
    return "\n".join(lines)


def _parts(result: ComparisonResult) -> Iterator[tuple[str, list[str], Table]]:
    """Yield title, conclusions and table of each match, then those of the differences."""
    for group in grouped(result.comparisons, lambda comparison: id(comparison.match)).values():
        figures = Table.of_texts(_HEADER, map(_cells, group))
        yield group[0].match.title, list(map(conclusion, group)), figures
    if result.differing:
        rows = [(name, _values(base), _values(new)) for name, base, new in result.differing]
        yield "What differs", [], Table.of_texts(("setting", "base", "new"), rows)


def conclusion(comparison: Comparison) -> str:
    """Return in one sentence what was found about one metric."""
    name, unit = comparison.metric.label, comparison.metric.unit
    change = _change(comparison)
    if comparison.p is None:
        samples = comparison.samples
        return (
            f"{name}: {change}, with no interval: a side has {samples.smaller_count} "
            f"{samples.unit}; run each side at least twice"
        )
    if comparison.effect.standard_error == 0 and comparison.effect.estimate == 0:
        return f"{name}: the same, {number(comparison.base_mean)} {unit} every time"
    relative = comparison.change is not None
    ends = f"95 % in {_ends(comparison.effect.interval(), relative=relative)}"
    if not comparison.found:
        return (
            f"{name}: no difference detectable ({change}, {ends}); "
            f"smallest detectable effect: {_detectable(comparison)}"
        )
    is_lower = comparison.new_mean < comparison.base_mean
    better = "better" if is_lower == (comparison.metric.better == "lower") else "worse"
    return f"{name}: {change} ({ends}), {better}"


def notes(result: ComparisonResult) -> Iterator[str]:
    """Yield what a reader must know besides the figures."""
    every = result.comparisons
    tests = sum(comparison.p is not None for comparison in every)
    conditional = (
        (
            any(comparison.samples.unit == "repetition" for comparison in every),
            "each side is one experiment, so its repetitions are the values: the intervals do not "
            "include variation between runs; run a study with several repeats to include it",
        ),
        (
            any(comparison.samples.paired for comparison in every),
            "paired: runs of one block, on the same devices and prompts, belong together; a run "
            "whose partner is missing is not used",
        ),
        (
            any(comparison.gain_error for comparison in every),
            "the sides ran on different devices: intervals include their sensors' gain errors",
        ),
        (
            any(comparison.samples.smaller_count < LEAST_FOR_BOOTSTRAP for comparison in every),
            f"fewer than {LEAST_FOR_BOOTSTRAP} values a side: too few to bootstrap",
        ),
        (tests > 1, f"p-values are corrected (Holm) for {tests} comparisons"),
        (
            True,
            f"detectable: with a chance of {100 * POWER:g} %; needed: values a side to detect "
            f"{100 * result.wanted_ratio:g} % with that chance",
        ),
    )
    yield from (note for applies, note in conditional if applies)
    for mismatch in result.allowed:
        yield f"allowed although {mismatch.code}: {mismatch.message}"
    for id, why in result.left_out:
        yield f"left out: {id} ({why})"
    for name in result.missing:
        yield f"not measured: {name}"


_HEADER = (
    "metric", "base", "new", "difference", "change", "95 % (t)", "95 % (bootstrap)", "p (Holm)",
    "values", "detectable", "needed",
)  # fmt: skip


def _cells(comparison: Comparison) -> tuple[str, ...]:
    unit, samples = comparison.metric.unit, comparison.samples
    values = f"{len(samples.base)} + {len(samples.new)} {samples.unit}s"
    needed = comparison.repetitions_needed
    return (
        comparison.metric.name,
        f"{number(comparison.base_mean)} {unit}",
        f"{number(comparison.new_mean)} {unit}",
        f"{comparison.difference.estimate:+.4g} {unit}",
        _change(comparison) if comparison.change else "-",
        _ends(comparison.effect.interval(), relative=comparison.change is not None),
        _ends(comparison.bootstrap, relative=comparison.change is not None),
        probability(comparison.p_holm),
        f"{values}, paired" if samples.paired else values,
        _detectable(comparison),
        "-" if needed is None else f"{needed:,}",
    )


def _change(comparison: Comparison) -> str:
    """Return the estimate: relative if there is a relative effect, else in the metric's unit."""
    if comparison.change is not None:
        return percent(comparison.change.interval().estimate)
    return f"{comparison.difference.estimate:+.4g} {comparison.metric.unit}"


def _ends(interval: Interval | None, *, relative: bool) -> str:
    return (
        "-" if interval is None else interval_text(interval.low, interval.high, relative=relative)
    )


def _detectable(comparison: Comparison) -> str:
    smallest = comparison.smallest_detectable
    if smallest is None:
        return "-"
    if comparison.change is None:
        return f"{number(smallest)} {comparison.metric.unit}"
    return f"{100 * smallest:.2g} %" if smallest < 1 else f"{100 * smallest:,.0f} %"


def _values(values: Sequence[object]) -> str:
    more = f" … ({counted(len(values), 'value')})" if len(values) > _MOST_VALUES else ""
    return " | ".join(map(value_text, values[:_MOST_VALUES])) + more


def _check_text(check: LimitCheck) -> str:
    """Return in one sentence how a limit fared."""
    comparison, relative = check.comparison, check.limit.relative
    effect = comparison.change if relative else comparison.difference
    ends = _ends(None if effect is None else effect.interval(), relative=relative)
    return (
        f"{check.state}: {check.limit} ({_change(comparison)}, 95 % in {ends}), "
        f"{comparison.match.title}"
    )


def document(result: ComparisonResult, checks: Sequence[LimitCheck] = ()) -> dict[str, Any]:
    """Return ``result`` and the checks of its limits as JSON data.

    Relative figures are ratios less one: 0.03 is 3 % more.
    """
    data: dict[str, Any] = {
        "comparisons": [_comparison(comparison) for comparison in result.comparisons],
        "differing": [
            {"name": name, "base": base, "new": new} for name, base, new in result.differing
        ],
        "mismatches": [mismatch._asdict() for mismatch in result.allowed],
        "left_out": [{"id": id, "reason": why} for id, why in result.left_out],
        "missing": list(result.missing),
        "wanted_ratio": result.wanted_ratio,
        "notes": list(notes(result)),
    }
    if checks:
        data["gate"] = {
            "state": overall(checks),
            "limits": [
                {
                    "limit": str(check.limit),
                    "variant": check.comparison.match.variant,
                    "held": check.comparison.match.held,
                    "state": check.state,
                }
                for check in checks
            ],
        }
    return data


def _comparison(comparison: Comparison) -> dict[str, Any]:
    match, samples = comparison.match, comparison.samples
    return {
        "metric": comparison.metric.name,
        "unit": comparison.metric.unit,
        "variant": match.variant,
        "baseline": match.base_values,
        "held": match.held,
        "base_outcomes": [stored.outcome.id for stored in match.base],
        "new_outcomes": [stored.outcome.id for stored in match.new],
        "unit_of_replication": samples.unit,
        "paired": samples.paired,
        "base_values": list(samples.base),
        "new_values": list(samples.new),
        "base_mean": comparison.base_mean,
        "new_mean": comparison.new_mean,
        "difference": _interval(comparison.difference.interval()),
        "change_ratio": comparison.change and _interval(comparison.change.interval()),
        "bootstrap": _interval(comparison.bootstrap),
        "gain_error_ratio": comparison.gain_error,
        "p": comparison.p,
        "p_holm": comparison.p_holm,
        "found": comparison.found,
        "smallest_detectable": comparison.smallest_detectable,
        "repetitions_needed": comparison.repetitions_needed,
        "conclusion": conclusion(comparison),
    }


def _interval(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    return dict(zip(("estimate", "ci95_low", "ci95_high"), astuple(interval), strict=True))
