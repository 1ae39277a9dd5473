"""Summarize what a study will run, for people and as data, before anything is started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from llem.config.redact import redact
from llem.study.study_plan import StudyPlan

MAX_ROWS = 20
"""Experiments that are listed for people, unless they ask for all."""


def plan_summary(plan: StudyPlan, *, everything: bool) -> Iterator[str]:
    """Yield lines: points, refused, duplicates, runs, duration, and the experiments themselves.

    Args:
        plan: The plan.
        everything: Whether every experiment is listed, or only the first ``MAX_ROWS``.
    """
    settings = plan.study.settings
    yield f"study {plan.study.name}"
    yield _row(len(plan.study), "point", "")
    yield _row(len(plan.refused), "refused", "")
    for rule, number in Counter(point.rule for point in plan.refused).most_common():
        example = next(point for point in plan.refused if point.rule == rule)
        yield f"{'':11}{number:,} x {rule}, such as: {example.refusals[0]}"
    yield _row(plan.duplicates, "duplicate", "same calls, workload and runner: run once for all")
    yield _row(len(plan.experiments), "experiment", "")
    order = f"{settings.repeats} x each, {settings.order}" if settings.repeats > 1 else ""
    yield _row(plan.run_count, "run", order)
    yield f"takes {span(plan.least_s)} to {span(plan.most_s)}, and loading"
    yield from (f"note: {remark}" for remark in plan.remarks())
    yield ""
    shown = len(plan.ids) if everything else MAX_ROWS
    for number, id in enumerate(plan.ids[:shown]):
        first, *others = plan.settings(number)
        same = f"  (and {len(others)} more)" if others else ""
        yield f"{id}  {label(first)}{same}"
    if len(plan.ids) > shown:
        yield f"… and {len(plan.ids) - shown:,} more; --all lists them"


def plan_document(plan: StudyPlan) -> dict[str, Any]:
    """Return the plan as JSON data, without secrets."""
    data: dict[str, Any] = redact(
        {
            "study": plan.study.name,
            "points": len(plan.study),
            "refused": [
                {
                    "point": point.number,
                    "settings": plan.study.differences(point.number),
                    "rule": point.rule,
                    "reasons": [str(finding) for finding in point.refusals],
                }
                for point in plan.refused
            ],
            "duplicates": plan.duplicates,
            "experiments": [
                {"id": id, "points": plan.settings(number)} for number, id in enumerate(plan.ids)
            ],
            "runs": [run.id for run in plan.runs()],
            "duration_s": {"least": plan.least_s, "most": plan.most_s},
            "remarks": list(plan.remarks()),
        }
    )
    return data


def label(settings: Mapping[str, Any]) -> str:
    """Return what tells a point apart, on one line."""
    shown: Mapping[str, Any] = redact(dict(settings))
    return ", ".join(f"{name}={value}" for name, value in shown.items()) or "base"


def span(duration_s: float) -> str:
    """Return a duration in the largest units that fit: ``2 h 5 min``, ``40 s``."""
    seconds = round(duration_s)
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def _row(number: int, what: str, note: str) -> str:
    plural = what if number == 1 or what == "refused" else f"{what}s"
    return f"{number:>9,}  {plural}{f' ({note})' if note and number else ''}"
