"""What was asked for beside what was really in force, for every argument of every engine call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llem.report.varied_parameters import canonical
from llem.schema.outcome import Outcome


@dataclass(frozen=True, slots=True)
class EffectiveArgument:
    """One argument of one engine call.

    Attributes:
        name: ``<call>.<argument>``, or ``settings.<name>``.
        requested: What was asked for, and for how many outcomes; ``None`` stands for the default.
        effective: What was in force, likewise; ``None`` where it could not be observed.
    """

    name: str
    requested: tuple[tuple[str | None, int], ...]
    effective: tuple[tuple[str | None, int], ...]

    @property
    def differs(self) -> bool:
        """Whether something was asked for that is not what was in force."""
        asked = {value for value, _ in self.requested} - {None}
        observed = {value for value, _ in self.effective} - {None}
        return bool(asked and observed and asked != observed)


def requested_and_effective(outcomes: Sequence[Outcome]) -> list[EffectiveArgument]:
    """Return every argument that was asked for or observed, those that differ first."""
    asked = [dict(_requested(outcome.plan)) for outcome in outcomes]
    observed = [outcome.effective for outcome in outcomes]
    names = dict.fromkeys(name for table in (*asked, *observed) for name in table)
    found = [
        EffectiveArgument(name, _counted(asked, name), _counted(observed, name)) for name in names
    ]
    return sorted(found, key=lambda one: not one.differs)


def _requested(plan: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in plan.get("settings", {}).items():
        yield f"settings.{name}", value
    for call in plan.get("calls", ()):
        for name, value in call.get("kwargs", {}).items():
            # A symbol stands for the thing it names.
            symbol = value.get("$symbol") if isinstance(value, dict) else None
            yield f"{call.get('name')}.{name}", value if symbol is None else symbol


def _counted(tables: Sequence[Mapping[str, Any]], name: str) -> tuple[tuple[str | None, int], ...]:
    counts: dict[str | None, int] = {}
    for table in tables:
        value = canonical(table[name]) if name in table else None
        counts[value] = counts.get(value, 0) + 1
    return tuple(counts.items())
