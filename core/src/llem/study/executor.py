"""Where runs are carried out: the seam to machines other than this one.

A task goes in, the run's end comes out, and everything that belongs to the run is stored under its
id. An executor of another machine serializes the task; this machine takes it as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import psutil
import pynvml

from llem.config import LoadedExperiment
from llem.process.workers import Workers
from llem.registry import Registry
from llem.run.baseline import Baselines
from llem.run.host_info import of_each_gpu
from llem.run.lifecycle import Progress
from llem.run.run_experiment import run_experiment
from llem.schema.outcome import RunPosition
from llem.study.study_file import StudySettings, ThermalConfig
from llem.study.study_state import RunEnd

KEPT_LOG_FILE = ".kept-worker.log"
"""What a worker prints that is kept between runs; each run has its own part as well."""

POLL_S = 1.0
"""Time between two readings of the temperature."""


@dataclass(frozen=True, slots=True)
class Task:
    """One run.

    Attributes:
        loaded: The experiment, with the remarks of every check so far.
        place: Its position in the study; the run id names everything that is stored.
        begun_at: Local time when the study was begun: the time that chat templates see, so that
            all runs have the same prompts.
    """

    loaded: LoadedExperiment
    place: RunPosition
    begun_at: datetime


class Executor(Protocol):
    """Carries out runs, one at a time."""

    def execute(self, task: Task, progress: Progress) -> RunEnd:
        """Carry out ``task``, store its outcome, and return how it ended.

        Raises:
            ConfigError: The experiment is refused where it would run; nothing is stored.
            BackendUnavailable: Backend or engine cannot be used there; nothing is stored.
            StorageError: The outcome could not be written.
        """

    def close(self) -> None:
        """End everything that is kept between runs."""


class LocalExecutor:
    """Carries out runs on this machine, each in a worker process.

    Args:
        registry: The installed plugins.
        folder: The study's folder.
        settings: How the study's points are run.
    """

    def __init__(self, registry: Registry, folder: Path, settings: StudySettings) -> None:
        self._registry = registry
        self._folder = folder
        self._baselines = Baselines()
        self._workers = Workers(folder / KEPT_LOG_FILE if settings.reuse == "model" else None)

    def execute(self, task: Task, progress: Progress) -> RunEnd:
        """Carry out ``task`` in a worker on this machine; see :class:`Executor`."""
        outcome, _ = run_experiment(
            task.loaded,
            self._registry,
            self._folder,
            progress,
            position=task.place,
            workers=self._workers,
            baselines=self._baselines,
            clock=task.begun_at,
        )
        return RunEnd(outcome.status, outcome.verdict.valid)

    def close(self) -> None:
        """End the worker that is kept between runs."""
        self._workers.close()


def hottest_celsius() -> float | None:
    """Return the highest temperature that a sensor of this machine shows, or ``None``.

    GPUs count where there are any; a processor's sensors otherwise.
    """
    of_gpus = [celsius for celsius in of_each_gpu(_gpu_celsius) if celsius is not None]
    return max(of_gpus, default=None) or max(_processors(), default=None)


def wait_until_cool(
    condition: ThermalConfig,
    temperature: Callable[[], float | None] = hottest_celsius,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[float, float | None]:
    """Wait as ``condition`` says; return how long that took, in s, and the last temperature.

    Where no sensor can be read there is no waiting, and the temperature is ``None``.
    """
    waited_s = 0.0
    while (celsius := temperature()) is not None:
        if celsius < condition.below_celsius or waited_s >= condition.at_most_s:
            break
        step_s = min(POLL_S, condition.at_most_s - waited_s)
        sleep(step_s)
        waited_s += step_s
    return waited_s, celsius


def _gpu_celsius(handle: object) -> float:
    return float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))


def _processors() -> list[float]:
    # Not on every system there is such a function.
    read = getattr(psutil, "sensors_temperatures", dict)
    return [sensor.current for sensors in read().values() for sensor in sensors]
