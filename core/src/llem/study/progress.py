"""How a study tells its observer what it is doing. Nothing is told inside a window."""

from __future__ import annotations

from typing import Protocol

from llem.run.progress import Progress, Silence
from llem.study.journal import Entry


class StudyProgress(Progress, Protocol):
    """Receives the steps of a study, between windows only."""

    def run_begins(self, number: int, total: int, label: str, left_s: float) -> None:
        """Say that a run begins.

        Args:
            number: Its place in the order, from 1.
            total: Number of runs.
            label: What tells its experiment apart.
            left_s: How long this and all later runs will take, estimated.
        """

    def entry(self, entry: Entry) -> None:
        """Say what was written into the journal."""


class StudySilence(Silence):
    """A :class:`StudyProgress` that tells nobody."""

    def run_begins(self, number: int, total: int, label: str, left_s: float) -> None:
        """Ignore the run."""

    def entry(self, entry: Entry) -> None:
        """Ignore the entry."""
