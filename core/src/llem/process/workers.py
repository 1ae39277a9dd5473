"""Where the worker of an experiment comes from: started for it, or kept from the one before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

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
class Loaded:
    """What is known of a worker once its model is loaded.

    Attributes:
        python: Version of its interpreter.
        versions: Distributions in its environment.
        opened: What opening found.
        idle: Idle power before it was started.
        metered_s: When that was known, on the monotonic clock.
    """

    python: str | None
    versions: dict[str, str]
    opened: OpenReport
    idle: Mapping[Domain, Idle] = field(default_factory=dict)
    metered_s: float = 0.0


@dataclass(slots=True)
class Lease:
    """A worker for one experiment.

    Attributes:
        worker: The worker.
        loaded: What is known of it, if its model is loaded already.
        remarks: Why it is not the kind of worker that was wanted.
    """

    worker: WorkerProcess
    loaded: Loaded | None = None
    remarks: tuple[Reason, ...] = ()


Start = Callable[[Backend, CallPlan, RunnerConfig, Path], Lease]
"""Starts a worker for a plan, as a runner says, that prints into a file."""


class Workers(Protocol):
    """Hands out workers, one at a time."""

    def keeps(self, backend: Backend) -> bool:
        """Whether sessions of ``backend`` stay open after the block, and must not be closed."""

    def is_loaded(self, backend: Backend, plan: CallPlan, runner: RunnerConfig) -> bool:
        """Whether a worker that can go on with ``plan`` is there already."""

    @contextmanager
    def lease(
        self, backend: Backend, plan: CallPlan, runner: RunnerConfig, log_path: Path
    ) -> Iterator[Lease]:
        """Hand out a worker for the block; what it prints meanwhile is in ``log_path`` after it.

        Raises:
            WorkerDied: It cannot be started.
        """


def start_worker(runner: RunnerConfig, log_path: Path) -> WorkerProcess:
    """Start a worker in an interpreter of its own, as ``runner`` says.

    Raises:
        WorkerDied: It cannot be started.
    """
    return WorkerProcess(
        python=interpreter(runner.python),
        env=runner.env,
        log_path=log_path,
        **limits(runner),
    )


def start_fresh(backend: Backend, plan: CallPlan, runner: RunnerConfig, log_path: Path) -> Lease:
    """Start a worker in an interpreter of its own; a :data:`Start`."""
    return Lease(start_worker(runner, log_path))


def limits(runner: RunnerConfig) -> dict[str, Any]:
    """Return the limits of ``runner`` on a worker."""
    return {
        "max_log_bytes": runner.max_log_bytes,
        "experiment_s": runner.timeouts.experiment_s,
        "silence_s": runner.timeouts.silence_s,
    }


class FreshWorkers:
    """Starts a worker for each experiment and ends it afterwards.

    Args:
        start: Starts one.
    """

    def __init__(self, start: Start = start_fresh) -> None:
        self._start = start

    def keeps(self, backend: Backend) -> bool:
        """Whether sessions stay open: never."""
        return False

    def is_loaded(self, backend: Backend, plan: CallPlan, runner: RunnerConfig) -> bool:
        """Whether a worker is there already: never."""
        return False

    @contextmanager
    def lease(
        self, backend: Backend, plan: CallPlan, runner: RunnerConfig, log_path: Path
    ) -> Iterator[Lease]:
        """Start a worker for the block; see :class:`Workers`."""
        lease = self._start(backend, plan, runner, log_path)
        with lease.worker:
            yield lease


class ReusedWorkers:
    """Keeps a worker while experiments load the same model in the same way.

    Args:
        log_path: File that receives what the kept worker prints; each experiment's part of it
            is copied to where that experiment wants it.
        start: Starts one.
    """

    def __init__(self, log_path: Path, start: Start = start_fresh) -> None:
        self._log_path = log_path
        self._start = start
        self._remarks: tuple[Reason, ...] = ()
        self._key = ""
        self._lease: Lease | None = None

    def keeps(self, backend: Backend) -> bool:
        """Whether sessions of ``backend`` can be reopened."""
        return bool(backend.info.hot_swappable)

    def is_loaded(self, backend: Backend, plan: CallPlan, runner: RunnerConfig) -> bool:
        """Whether the kept worker can go on with ``plan``; another one is ended by asking."""
        self._remarks = ()
        if self._lease is None:
            return False
        if self._key != load_key(backend, plan, runner) or not self._reopen(plan, runner):
            self.close()
            return False
        return True

    @contextmanager
    def lease(
        self, backend: Backend, plan: CallPlan, runner: RunnerConfig, log_path: Path
    ) -> Iterator[Lease]:
        """Hand out the kept worker if there is one, or start one; see :class:`Workers`.

        It is kept unless the block fails or the backend's sessions cannot be reopened.
        """
        printed_bytes = self._log_path.stat().st_size if self._log_path.exists() else 0
        if self._lease is None:
            self._key = load_key(backend, plan, runner)
            self._lease = self._start(backend, plan, runner, self._log_path)
            self._remarks += self._lease.remarks
        self._lease.remarks = self._remarks
        try:
            yield self._lease
        except BaseException:
            self.close()
            raise
        finally:
            _copy_from(self._log_path, printed_bytes, log_path)
        if not self.keeps(backend):
            self.close()

    def close(self) -> None:
        """End the worker, if one is kept."""
        if self._lease is not None:
            self._lease.worker.kill()
            self._lease = None

    def _reopen(self, plan: CallPlan, runner: RunnerConfig) -> bool:
        """Let the worker take on ``plan``; return whether it is as good as a fresh one."""
        assert self._lease is not None
        worker = self._lease.worker
        worker.begin(**limits(runner))
        try:
            worker.call("reopen", runner.timeouts.open_s, plan=plan.to_json())
        except ExperimentFailed as error:
            message = f"the worker could not be kept: {error.message}"
            self._remarks = (Reason(code="worker-not-kept", message=message),)
            return False
        return True


def load_key(backend: Backend, plan: CallPlan, runner: RunnerConfig) -> str:
    """Return what decides which model is loaded, and how: equal texts can share a worker."""
    later = backend.info.hot_swappable
    document: dict[str, Any] = plan.to_json()
    kept = {
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
    return json.dumps(kept, sort_keys=True)


def _copy_from(source: Path, offset: int, target: Path) -> None:
    """Copy what ``source`` has from ``offset`` on."""
    with suppress(FileNotFoundError), source.open("rb") as log:
        log.seek(offset)
        target.write_bytes(log.read())
