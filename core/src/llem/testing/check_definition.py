"""A check: a rule of the contract, and the function that finds where a plugin breaks it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llem.errors import LlemError
from llem.testing.prerequisites import Requires

if TYPE_CHECKING:
    from llem.testing.plugin_under_test import PluginUnderTest

MAX_SHOWN = 10
"""Faults that a message lists; a single cause may have hundreds."""


class ContractViolation(AssertionError):
    """A plugin does not keep its contract.

    Args:
        check_id: Id of the check that found it.
        message: What is wrong, a line for each fault.
        hint: How to repair it, or empty.
    """

    def __init__(self, check_id: str, message: str, hint: str = "") -> None:
        super().__init__(f"{check_id}: {message}" + (f"\nHint: {hint}" if hint else ""))
        self.check_id = check_id
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a plugin.

    Attributes:
        message: What is wrong, in a line.
        hint: How to repair it, or empty.
    """

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A rule of the contract.

    Call it with a :class:`~llem.testing.PluginUnderTest`: it raises if the plugin breaks the rule.

    Attributes:
        id: Stable identifier, family first, such as ``config-frozen``.
        family: Subject of the rule.
        statement: The rule, in a sentence.
        need: What the check needs.
        find: Yields the faults.
    """

    id: str
    family: str
    statement: str
    need: Requires
    find: Callable[[PluginUnderTest], Iterable[Fault]]

    def __call__(self, subject: PluginUnderTest) -> None:
        """Run the check.

        Raises:
            ContractViolation: The plugin of ``subject`` breaks the rule.
        """
        try:
            faults = list(self.find(subject))
        except LlemError as error:  # raised by the plugin's code, or by its caller
            faults = [Fault(error.message, error.hint)]
        if not faults:
            return
        lines = [fault.message for fault in faults[:MAX_SHOWN]]
        if len(faults) > MAX_SHOWN:
            lines.append(f"and {len(faults) - MAX_SHOWN} more")
        hints = (fault.hint for fault in faults if fault.hint)
        raise ContractViolation(self.id, "\n".join(lines), next(hints, ""))


def check(need: Requires) -> Callable[[Callable[[PluginUnderTest], Iterable[Fault]]], Check]:
    """Make a check of a function: its name is the id, its docstring the statement.

    Args:
        need: What the check needs.
    """

    def made(find: Callable[[PluginUnderTest], Iterable[Fault]]) -> Check:
        name = find.__name__.removeprefix("check_").replace("_", "-")
        return Check(
            id=name,
            family=name.partition("-")[0],
            statement=" ".join((inspect.getdoc(find) or "").split()),
            need=need,
            find=find,
        )

    return made
