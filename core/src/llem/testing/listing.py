"""The results of a plugin's checks as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from llem.introspect.listing import Cell, Listing
from llem.testing.check import Check
from llem.testing.conformance import CheckResult, State


def result_listing(results: Sequence[CheckResult]) -> Listing:
    """Return a row for each check, and one for each family of which nothing could be asked."""
    rows: list[tuple[Cell, ...]] = []
    for family, group in groupby(results, key=lambda one: one.family):
        found = list(group)
        reasons = {one.message for one in found}
        if len(reasons) == 1 and all(one.state is State.NOT_RUN for one in found):
            rows.append((Cell(f"{family}, all {len(found)}"), Cell(State.NOT_RUN), Cell(*reasons)))
        else:
            rows += map(_row, found)
    return Listing(("check", "result", "why not"), tuple(rows))


def _row(one: CheckResult) -> tuple[Cell, ...]:
    if one.state is State.FAILED:
        note = f"{one.id}: {one.message}" + (f"\n    {one.hint}" if one.hint else "")
        return (Cell(one.id), Cell(one.state, note), Cell(one.statement))
    return (Cell(one.id), Cell(one.state), Cell(one.message))


def summary(name: str, results: Sequence[CheckResult]) -> str:
    """Return how many checks ended in which way."""
    counts = Counter(one.state for one in results)
    counted = ", ".join(f"{counts[state]} {state.lower()}" for state in State if counts[state])
    return f"{name}: {len(results)} checks: {counted}"


def catalogue_listing(checks: Sequence[Check]) -> Listing:
    """Return a row for each check of the catalogue."""
    return Listing(
        ("check", "holds", "needs"),
        tuple(tuple(map(Cell, (f"`{one.id}`", one.statement, one.need))) for one in checks),
    )
