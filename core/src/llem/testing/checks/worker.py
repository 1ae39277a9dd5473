"""Checks of the measured process: it starts, and its end leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

from llem.testing.check import Fault, check
from llem.testing.killed import survivors
from llem.testing.needs import Need
from llem.testing.subject import Subject


@check(Need.SESSION)
def check_worker_starts(subject: Subject) -> Iterator[Fault]:
    """A worker of this llem starts, and imports the plugin's light module."""
    if (error := subject.life.failures.get("start")) is not None:
        yield Fault(f"a worker cannot start with it: {error.message}", error.hint)


@check(Need.LIFE)
def check_worker_killed(subject: Subject) -> Iterator[Fault]:
    """A worker that is killed takes with it whatever the engine has started."""
    for command in survivors(subject.loaded(), subject.session_plan):
        yield Fault(
            f"this outlives a killed worker: {command}",
            hint="Let each process end with its parent: llem.api.lifeline.die_with_parent.",
        )
