"""An answer for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llem.report.comparison.compare import Answer, Comparison
from llem.report.comparison.gate import Judgement
from llem.report.comparison.words import (
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
from llem.report.markdown_table import escaped, table
from llem.report.table import number

_HEADER = (
    "metric", "base", "new", "difference", "change", "95 % (t)", "95 % (bootstrap)", "p (Holm)",
    "values", "would be seen", "needed",
)  # fmt: skip


def text(answer: Answer, judgements: Sequence[Judgement] = ()) -> str:
    """Return ``answer`` as plain text: conclusions, figures, what differs, notes."""
    lines: list[str] = []
    for title, group in _by_match(answer):
        lines += [title, *(f"  {conclusion(one)}" for one in group), ""]
        lines += _aligned([_HEADER, *map(_cells, group)])
        lines.append("")
    if answer.differing:
        lines += ["What differs:", *_aligned([("", "base", "new"), *differences(answer)]), ""]
    lines += [f"note: {one}" for one in notes(answer)]
    if judgements:
        lines += ["", *(f"gate {judgement(one)}" for one in judgements)]
    return "\n".join(lines)


def markdown(answer: Answer, judgements: Sequence[Judgement] = ()) -> str:
    """Return the same as Markdown, for a pull request or a paper's notes."""
    lines: list[str] = []
    if judgements:
        lines += [
            *(f"- **gate {one.state}**: {escaped(judgement(one))}" for one in judgements),
            "",
        ]
    for title, group in _by_match(answer):
        lines += [f"### {escaped(title)}", ""]
        lines += [*(f"- {escaped(conclusion(one))}" for one in group), ""]
        lines += [*table([_HEADER, *map(_cells, group)]), ""]
    if answer.differing:
        lines += ["### What differs", "", *table([("", "base", "new"), *differences(answer)]), ""]
    lines += [f"- {escaped(one)}" for one in notes(answer)]
    return "\n".join(lines)


def _by_match(answer: Answer) -> Iterator[tuple[str, list[Comparison]]]:
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


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
