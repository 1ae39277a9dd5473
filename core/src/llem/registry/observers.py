"""Everybody who wants to know what is measured, as one whom core tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llem.api.config import Experiment
    from llem.api.outcome import Outcome
    from llem.api.study_place import StudyPlace


class Observers:
    """The plugins that observe; each method is the hook of its name in ``llem.api.hookspecs``.

    None of them raises for a plugin's fault: it is said on stderr, and returned.

    Args:
        tell: Calls a hook of every plugin, and returns what went wrong.
    """

    def __init__(self, tell: Callable[..., Sequence[str]]) -> None:
        self._tell = tell

    def study_started(self, study: str, folder: Path, *, runs: int, left: int) -> None:
        """Say that a study is begun, or gone on with."""
        self._tell("llem_study_started", study=study, folder=folder, runs=runs, left=left)

    def study_finished(
        self, study: str, folder: Path, *, states: Mapping[str, int], left: int
    ) -> None:
        """Say that an attempt at a study is over."""
        self._tell("llem_study_finished", study=study, folder=folder, states=states, left=left)

    def experiment_started(
        self, experiment: Experiment, id: str, place: StudyPlace | None
    ) -> Sequence[str]:
        """Say that an experiment begins; return what went wrong, one sentence each."""
        return self._tell("llem_experiment_started", experiment=experiment, id=id, place=place)

    def experiment_finished(self, outcome: Outcome, folder: Path) -> None:
        """Say what was measured."""
        self._tell("llem_experiment_finished", outcome=outcome, folder=folder)
