"""Run every check of the catalog that this machine allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from llem.tables import Cell, Table
from llem.testing import (
    audit_checks,
    claim_checks,
    config_checks,
    meter_checks,
    plan_checks,
    plugin_checks,
    session_checks,
    worker_checks,
)
from llem.testing.check_definition import Check, ContractViolation
from llem.testing.plugin_under_test import PluginUnderTest
from llem.testing.prerequisites import missing

FAMILIES = (
    plugin_checks,
    config_checks,
    plan_checks,
    claim_checks,
    worker_checks,
    session_checks,
    audit_checks,
    meter_checks,
)
"""The modules of the checks; a check comes after those that it builds on."""

CHECKS: tuple[Check, ...] = tuple(
    found for family in FAMILIES for found in vars(family).values() if isinstance(found, Check)
)
"""All checks, in the order in which they are asked."""


class State(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "FAILED"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check.

    Attributes:
        id: The check's id.
        family: Its family.
        statement: The rule that it checks.
        state: How it ended.
        message: What is wrong, or why it did not run.
        hint: What to do about it, or empty.
    """

    id: str
    family: str
    statement: str
    state: State
    message: str = ""
    hint: str = ""


def check_plugin(subject: PluginUnderTest) -> Iterator[CheckResult]:
    """Yield the result of every check of the catalog, each as soon as it is known."""
    for check in CHECKS:
        yield _result(check, subject)


def _result(check: Check, subject: PluginUnderTest) -> CheckResult:
    def ended(state: State, message: str = "", hint: str = "") -> CheckResult:
        return CheckResult(check.id, check.family, check.statement, state, message, hint)

    if lacking := missing(subject, check.need):
        return ended(State.NOT_RUN, lacking)
    try:
        check(subject)
    except ContractViolation as violation:
        return ended(State.FAILED, violation.message, violation.hint)
    return ended(State.PASSED)


def result_table(results: Sequence[CheckResult]) -> Table:
    """Return a row for each check; a family of which no check could run is a single row."""
    rows: list[tuple[Cell, ...]] = []
    for family, group in groupby(results, key=lambda result: result.family):
        found = list(group)
        reasons = {result.message for result in found}
        if len(reasons) == 1 and all(result.state is State.NOT_RUN for result in found):
            rows.append((Cell(f"{family}, all {len(found)}"), Cell(State.NOT_RUN), Cell(*reasons)))
        else:
            rows += map(_row, found)
    return Table(("check", "result", "why not"), tuple(rows))


def _row(result: CheckResult) -> tuple[Cell, ...]:
    if result.state is State.FAILED:
        note = f"{result.id}: {result.message}" + (f"\n    {result.hint}" if result.hint else "")
        return (Cell(result.id), Cell(result.state, note), Cell(result.statement))
    return (Cell(result.id), Cell(result.state), Cell(result.message))


def summary(name: str, results: Sequence[CheckResult]) -> str:
    """Return how many checks ended in which way."""
    counts = Counter(result.state for result in results)
    counted = ", ".join(f"{counts[state]} {state.lower()}" for state in State if counts[state])
    return f"{name}: {len(results)} checks: {counted}"


def catalog_table(checks: Sequence[Check]) -> Table:
    """Return a row for each check of the catalog."""
    return Table.of_texts(
        ("check", "holds", "requires"),
        [(f"`{check.id}`", check.statement, check.need) for check in checks],
    )
