"""Where runs are carried out: the seam to machines other than this one.

What crosses it is data: an experiment as a JSON document goes in, an outcome document comes out,
and what belongs to a run is stored under its id.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from llem.config import LoadedExperiment, experiment_model
from llem.process.fork_host import Prefork
from llem.process.workers import FreshWorkers, ReusedWorkers, Start, Workers, start_fresh
from llem.registry import Registry
from llem.run.baseline import Baselines
from llem.run.lifecycle import Progress
from llem.run.run_experiment import run_experiment
from llem.schema.outcome import RunPosition
from llem.study.settings import StudySettings

KEPT_LOG_FILE = ".kept-worker.log"
"""What a worker prints that is kept between runs; each run has its own part as well."""

PREFORK_LOG_FILE = ".prefork.log"
"""What is printed while engines are imported for workers to be forked."""


@dataclass(frozen=True, slots=True)
class Task:
    """One run, as data.

    Attributes:
        experiment: The experiment as JSON data, with what it leaves open left out.
        place: Where it stands in the study; its run id names everything that is stored.
    """

    experiment: dict[str, Any]
    place: RunPosition


class Executor(Protocol):
    """Carries out runs, one at a time."""

    def execute(self, task: Task, progress: Progress) -> dict[str, Any]:
        """Carry out ``task`` and return its outcome document, stored already.

        Raises:
            ConfigError: The experiment is refused where it would run; nothing is stored.
            BackendUnavailable: Backend or engine cannot be used there; nothing is stored.
            StorageError: The outcome could not be written.
        """

    def close(self) -> None:
        """End whatever is kept between runs."""


class LocalExecutor:
    """Carries out runs on this machine, each in a worker process.

    Args:
        registry: The installed plugins.
        folder: The study's folder.
        base_dir: Folder that relative paths of prompt files start from.
        settings: How the study's points are run.
    """

    def __init__(
        self, registry: Registry, folder: Path, base_dir: Path, settings: StudySettings
    ) -> None:
        self._registry = registry
        self._folder = folder
        self._base_dir = base_dir
        self._baselines = Baselines()
        self._closing = ExitStack()
        start: Start = start_fresh
        if settings.prefork:
            prefork = Prefork(folder / PREFORK_LOG_FILE)
            self._closing.callback(prefork.close)
            start = prefork.start
        self._workers: Workers = FreshWorkers(start)
        if settings.reuse == "model":
            kept = ReusedWorkers(folder / KEPT_LOG_FILE, start)
            self._closing.callback(kept.close)
            self._workers = kept

    def execute(self, task: Task, progress: Progress) -> dict[str, Any]:
        """Carry out ``task`` in a worker on this machine; see :class:`Executor`."""
        backend = self._registry.backend(task.experiment["backend"])
        experiment = experiment_model(backend).model_validate(task.experiment)
        loaded = LoadedExperiment(experiment, backend, self._base_dir)
        outcome, _ = run_experiment(
            loaded,
            self._registry,
            self._folder,
            progress,
            place=task.place,
            workers=self._workers,
            baselines=self._baselines,
        )
        return outcome.model_dump(mode="json")

    def close(self) -> None:
        """End the processes that are kept between runs."""
        self._closing.close()
