"""Ask a plugin every question that this machine allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from llem.testing.catalogue import CHECKS
from llem.testing.check import Check, ContractViolation
from llem.testing.needs import lack
from llem.testing.subject import Subject


class State(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "FAILED"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check said.

    Attributes:
        id: The check's id.
        family: Its family.
        statement: The rule it holds the plugin to.
        state: How it ended.
        message: What is wrong, or why it was not run.
        hint: What to do about it, or empty.
    """

    id: str
    family: str
    statement: str
    state: State
    message: str = ""
    hint: str = ""


def check_plugin(subject: Subject) -> Iterator[CheckResult]:
    """Yield the result of every check of the catalogue, each as soon as it is known."""
    for check in CHECKS:
        yield _result(check, subject)


def _result(check: Check, subject: Subject) -> CheckResult:
    def ended(state: State, message: str = "", hint: str = "") -> CheckResult:
        return CheckResult(check.id, check.family, check.statement, state, message, hint)

    if missing := lack(subject, check.need):
        return ended(State.NOT_RUN, missing)
    try:
        check(subject)
    except ContractViolation as violation:
        return ended(State.FAILED, violation.message, violation.hint)
    return ended(State.PASSED)
