"""What was asked for beside what was really in force, for every argument of every engine call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llem.report.varied_parameters import canonical
from llem.schema.call_plan import CallPlan, differences
from llem.schema.outcome import Outcome


@dataclass(frozen=True, slots=True)
class EffectiveArgument:
    """One argument of one engine call.

    Attributes:
        name: ``<call>.<argument>``, or ``settings.<name>``.
        requested: What was asked for, and for how many outcomes; ``None`` stands for the default.
        effective: What was in force, likewise; ``None`` where it could not be observed.
        differs: Whether any outcome was asked for a value that is not the one in force.
    """

    name: str
    requested: tuple[tuple[str | None, int], ...]
    effective: tuple[tuple[str | None, int], ...]
    differs: bool


def requested_and_effective(outcomes: Sequence[Outcome]) -> list[EffectiveArgument]:
    """Return every argument that was requested or observed, those that differ first."""
    requested = [
        CallPlan.from_json(outcome.plan).requested() if outcome.plan else {} for outcome in outcomes
    ]
    effective = [outcome.effective for outcome in outcomes]
    differing = {
        name for pair in zip(requested, effective, strict=True) for name in differences(*pair)
    }
    names = dict.fromkeys(name for table in (*requested, *effective) for name in table)
    found = [
        EffectiveArgument(
            name, _counted(requested, name), _counted(effective, name), name in differing
        )
        for name in names
    ]
    return sorted(found, key=lambda argument: not argument.differs)


def _counted(tables: Sequence[Mapping[str, Any]], name: str) -> tuple[tuple[str | None, int], ...]:
    counts: dict[str | None, int] = {}
    for table in tables:
        value = canonical(table[name]) if name in table else None
        counts[value] = counts.get(value, 0) + 1
    return tuple(counts.items())
