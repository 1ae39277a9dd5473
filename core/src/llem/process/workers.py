"""The worker of an experiment: started for it, or kept from the experiment before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llem.api.session import OpenReport
from llem.energy.domain_energy import Domain
from llem.energy.idle import Idle
from llem.errors import ExperimentFailed
from llem.process.worker_process import WorkerProcess, interpreter
from llem.registry import Backend
from llem.schema.call_plan import CallPlan
from llem.schema.experiment import RunnerConfig
from llem.schema.outcome import Reason


@dataclass(slots=True)
class LoadedWorker:
    """A worker that has loaded its model.

    Attributes:
        python: Version of its interpreter.
        versions: Distributions in its environment.
        opened: The session's report on opening.
        idle: Idle power before the worker was started.
        metered_s: When that was metered, on the monotonic clock.
    """

    python: str | None
    versions: dict[str, str]
    opened: OpenReport
    idle: Mapping[Domain, Idle] = field(default_factory=dict)
    metered_s: float = 0.0


@dataclass(slots=True)
class AssignedWorker:
    """The worker of one experiment.

    Attributes:
        process: The worker process.
        loaded: Facts about the worker if its model is loaded already.
        remarks: Why the worker before it could not be kept.
    """

    process: WorkerProcess
    loaded: LoadedWorker | None = None
    remarks: tuple[Reason, ...] = ()


def start_worker(runner: RunnerConfig, log_path: Path) -> WorkerProcess:
    """Start a worker in an interpreter of its own.

    Raises:
        WorkerDied: The interpreter cannot be started.
    """
    return WorkerProcess(
        python=interpreter(runner.python),
        env=runner.env,
        log_path=log_path,
        **worker_limits(runner),
    )


def worker_limits(runner: RunnerConfig) -> dict[str, Any]:
    """Return the limits of ``runner`` as arguments of :class:`WorkerProcess`."""
    return {
        "max_log_bytes": runner.max_log_bytes,
        "experiment_s": runner.timeouts.experiment_s,
        "silence_s": runner.timeouts.silence_s,
    }


class Workers:
    """Assigns workers to experiments, one experiment at a time.

    Args:
        kept_log: Where to keep workers: a worker is kept while experiments load the same model in
            the same way, its output goes to this file, and the part of each experiment is copied
            to the experiment's own log. ``None`` starts a worker for each experiment.
    """

    def __init__(self, kept_log: Path | None = None) -> None:
        self._kept_log = kept_log
        self._remarks: tuple[Reason, ...] = ()
        self._key = ""
        self._kept: AssignedWorker | None = None

    def keeps_open(self, backend: Backend) -> bool:
        """Return whether sessions of ``backend`` stay open after the experiment."""
        return self._kept_log is not None and bool(backend.info.hot_swappable)

    def reopen(self, backend: Backend, plan: CallPlan, runner: RunnerConfig) -> bool:
        """Give the kept worker another plan; return whether it has taken it.

        A kept worker that cannot take the plan is ended.
        """
        self._remarks = ()
        if self._kept is None:
            return False
        if self._key == load_key(backend, plan, runner):
            process = self._kept.process
            process.restart_limits(**worker_limits(runner))
            try:
                process.call("reopen", runner.timeouts.open_s, plan=plan.to_json())
                return True
            except ExperimentFailed as error:
                message = f"the worker could not be kept: {error.message}"
                self._remarks = (Reason(code="worker-not-kept", message=message),)
        self.close()
        return False

    @contextmanager
    def assign(
        self, backend: Backend, plan: CallPlan, runner: RunnerConfig, log_path: Path
    ) -> Iterator[AssignedWorker]:
        """Assign a worker for the block; after it, ``log_path`` has the output of the worker.

        The worker is ended after the block unless the session stays open and the block succeeds.

        Raises:
            WorkerDied: No worker can be started.
        """
        log = self._kept_log or log_path
        log_bytes = log.stat().st_size if log.exists() else 0
        if self._kept is None:
            self._key = load_key(backend, plan, runner)
            self._kept = AssignedWorker(start_worker(runner, log))
        self._kept.remarks = self._remarks
        try:
            yield self._kept
        except BaseException:
            self.close()
            raise
        finally:
            if log != log_path:
                _copy_from(log, log_bytes, log_path)
        if not self.keeps_open(backend):
            self.close()

    def close(self) -> None:
        """End the kept worker, if there is one."""
        if self._kept is not None:
            self._kept.process.kill()
            self._kept = None


def load_key(backend: Backend, plan: CallPlan, runner: RunnerConfig) -> str:
    """Return a text of everything that decides how the model is loaded.

    Experiments with equal texts can share a worker.
    """
    later = backend.info.hot_swappable
    document: dict[str, Any] = plan.to_json()
    loading = {
        "backend": backend.name,
        "calls": [call for call in document["calls"] if call["name"] not in later],
        "settings": {
            name: value
            for name, value in document["settings"].items()
            if f"settings.{name}" not in later
        },
        "python": runner.python,
        "env": runner.env,
    }
    return json.dumps(loading, sort_keys=True)


def _copy_from(source: Path, offset: int, target: Path) -> None:
    """Copy everything in ``source`` from ``offset`` on."""
    with suppress(FileNotFoundError), source.open("rb") as log:
        log.seek(offset)
        target.write_bytes(log.read())
