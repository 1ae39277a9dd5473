"""Measure an experiment or a study: `llem run`, as functions.

Nothing outlives a call but what it stores: no process, thread, signal handler or changed variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from llem.config.load import load_experiment
from llem.errors import ConfigError, ExperimentFailed, are, counted
from llem.python_api.documents import Keys, Study, override_texts, source_of
from llem.python_api.progress_display import interactive_progress, live_progress, study_live
from llem.registry import Registry
from llem.results import outcome_folders, read_outcome
from llem.run.run_experiment import run_experiment
from llem.schema.experiment import Experiment
from llem.schema.outcome import Failure, Outcome
from llem.study.load_study import load_study
from llem.study.run_study import ResumeOptions
from llem.study.run_study import run_study as run_plan
from llem.study.study_file import is_study
from llem.study.study_plan import plan_study

RESULTS = "results"
"""Folder that receives outcomes unless another is named; the command line has the same."""


def measure(
    experiment: Experiment | str | Path | Keys | None = None,
    *,
    backend: str | None = None,
    model: str | None = None,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    output: str | Path = RESULTS,
    progress: bool = True,
) -> Outcome:
    """Measure one experiment and store its outcome in a folder of its own.

    A model is loaded in a worker process, which has ended when this returns. Ctrl-C ends it too:
    the outcome is stored with status `interrupted`, and `KeyboardInterrupt` is raised.

    Args:
        experiment: An experiment, the path of its file, or the file's keys as a mapping. Without
            it, the small default that `llem run` measures.
        backend: Backend to use instead of the experiment's.
        model: Model to use instead of the experiment's.
        overrides: Values by dotted path, such as ``{"workload.requests": 8}``, or the texts that
            `--set` takes; they win over all of the above.
        output: Folder that receives the outcome's folder, which is named by the outcome's `id`.
        progress: Whether a bar is shown where a user watches: on a terminal or in a notebook.

    Returns:
        The outcome, with status `done`. Its verdict says whether its figures may be used.

    Raises:
        ConfigError: The experiment was refused; nothing is stored.
        BackendUnavailable: Backend or engine cannot be used; nothing is stored.
        ExperimentFailed: The engine or its worker failed; the outcome, stored, says the same.
        StorageError: The outcome could not be written; an `OutcomeNotStored` carries it.
        KeyboardInterrupt: The user stopped it; the outcome is stored as far as it goes.
    """
    source = None if experiment is None else source_of(experiment)
    if source is not None and is_study(source):
        raise ConfigError("this is a study, not one experiment", hint="Use llem.run_study.")
    registry = Registry.discover()
    loaded = load_experiment(
        registry, file=source, overrides=override_texts(overrides), backend=backend, model=model
    )
    with interactive_progress(live_progress, wanted=progress) as display:
        outcome, folder = run_experiment(loaded, registry, Path(output).expanduser(), display)
    if outcome.status == "interrupted":
        raise KeyboardInterrupt(f"what was measured is stored in {folder}")
    if outcome.failure is not None:
        raise _error_of(outcome.failure, folder)
    return outcome


def _error_of(failure: Failure, folder: Path) -> ExperimentFailed:
    """Return the error that ended an experiment, as the outcome describes it."""
    kinds = {kind.code: kind for kind in ExperimentFailed.__subclasses__()}
    hint = f"{failure.hint} The outcome is stored in {folder}.".lstrip()
    return kinds.get(failure.code, ExperimentFailed)(
        failure.message, hint=hint, error_type=failure.error_type, traceback=failure.traceback
    )


@dataclass(frozen=True)
class StudyResult:
    """A study that has ended.

    Attributes:
        folder: Its folder: a folder for each outcome, the journal and the manifest.
        states: Number of runs in each final state: done, failed, out-of-memory, refused, pruned.
        not_valid: Number of outcomes that are done and whose verdict is not valid.
    """

    folder: Path
    states: Mapping[str, int]
    not_valid: int

    @cached_property
    def outcomes(self) -> list[Outcome]:
        """The stored outcomes, failed ones included, in the order of the study."""
        outcomes = [read_outcome(folder) for folder in outcome_folders(self.folder)]
        return sorted(outcomes, key=lambda outcome: outcome.study.position if outcome.study else 0)


def run_study(
    study: Study | str | Path | Keys,
    *,
    backend: str | None = None,
    model: str | None = None,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    output: str | Path = RESULTS,
    resume: bool = False,
    retry_failed: bool = False,
    accept_drift: bool = False,
    take_over: bool = False,
    progress: bool = True,
) -> StudyResult:
    """Measure every experiment of a study, and store each outcome in the study's folder.

    A run that fails does not end the study. Ctrl-C does: what is finished stays stored, and the
    same call with ``resume=True`` does the rest.

    Args:
        study: A study, the path of its file, or the file's keys as a mapping.
        backend: Backend to use: the study's only one, or the one to choose among several.
        model: Model to use instead of the study's.
        overrides: Values by dotted path, or the texts that `--set` takes, for all points.
        output: Folder that receives the study's folder.
        resume: Whether to continue a study that was begun; begin it if it was not.
        retry_failed: When resuming, whether failed runs are run again.
        accept_drift: Whether to resume although the study or a version has changed.
        take_over: Whether to resume although another machine may be running the study.
        progress: Whether a bar is shown where a user watches: on a terminal or in a notebook.

    Raises:
        ConfigError: The study was refused, or was begun already and is not to be resumed.
        BackendUnavailable: A backend, engine or device cannot be used.
        ExperimentFailed: The study stopped because its runs kept failing.
        StorageError: Something could not be written.
        KeyboardInterrupt: The user stopped it; what is finished is stored.
    """
    registry = Registry.discover()
    plan = plan_study(
        load_study(
            registry,
            file=source_of(study),
            overrides=override_texts(overrides),
            backend=backend,
            model=model,
        )
    )
    options = ResumeOptions(resume, retry_failed, accept_drift, take_over)
    with interactive_progress(study_live, wanted=progress) as display:
        summary = run_plan(plan, registry, Path(output).expanduser(), display, options)
    among = f"{summary.left:,} of {counted(summary.total, 'run')}"
    left = f"{among} {are(summary.left)} left in {summary.folder}"
    if summary.interrupted:
        raise KeyboardInterrupt(f"{left}; resume=True does them")
    if summary.stopped:
        raise ExperimentFailed(f"the study stopped: {summary.stopped}", hint=f"{left}.")
    return StudyResult(summary.folder, dict(summary.states), summary.not_valid)
