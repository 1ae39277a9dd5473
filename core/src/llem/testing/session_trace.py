"""Run a session in a worker, and record a trace that many checks read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from llem.api.session import Observation, OpenReport, Request, RunResult
from llem.config.load import LoadedExperiment
from llem.errors import LlemError, WorkerDied
from llem.process.worker_process import WorkerProcess
from llem.process.workers import start_worker
from llem.registry import check_version
from llem.registry.plugin_calls import plugin_errors
from llem.schema.call_plan import CallPlan
from llem.workload.build_workload import build_workload
from llem.workload.prompt_sources import load_prompts
from llem.workload.tokenizing import encode_in_host

RUNS = 3
"""Repetitions; the first is the warm-up."""


@dataclass(slots=True)
class SessionTrace:
    """The trace of a session.

    Attributes:
        failures: The error by step: ``start``, ``open``, ``prepare``, ``run``, ``observe``,
            ``close``, ``close again``, ``reopen``.
        opened: The report of opening.
        requests: The requests.
        runs: The repetitions that succeeded.
        printed_bytes: Bytes that each of them printed.
        observation: The observation.
        reopened: A further repetition, after the session was reopened.
        worker: Id of the worker's process.
    """

    failures: dict[str, LlemError] = field(default_factory=dict)
    opened: OpenReport | None = None
    requests: list[Request] = field(default_factory=list)
    runs: list[RunResult] = field(default_factory=list)
    printed_bytes: list[int] = field(default_factory=list)
    observation: Observation | None = None
    reopened: RunResult | None = None
    worker: int = 0


class SessionRecorder:
    """Takes a worker through the steps of a session, and records each.

    Args:
        loaded: The experiment.
        plan: The plan for the session.
        worker: The worker.
    """

    def __init__(self, loaded: LoadedExperiment, plan: CallPlan, worker: WorkerProcess) -> None:
        self.trace = SessionTrace()
        self.worker = worker
        self._loaded = loaded
        self._plan = plan
        self._timeouts = loaded.experiment.runner.timeouts

    def start(self) -> bool:
        """Let the worker import the plugin's light module; return whether it succeeds."""
        backend = self._loaded.backend
        engine = backend.info.engine
        names = [engine.distribution, *engine.alternatives] if engine else []

        def started() -> None:
            self.trace.worker = self.worker.hello(self._timeouts.start_s).pid
            answer = self._call("start", plugin=backend.module, distributions=names)
            if engine is not None:
                check_version(engine, answer["versions"], where=self.worker.python)

        return self._step("start", started)

    def open(self) -> bool:
        """Open the session; return whether it succeeds."""

        def opened() -> None:
            self.trace.opened = OpenReport.from_json(self._call("open", plan=self._plan.to_json()))

        return self._step("open", opened)

    def prepare(self) -> bool:
        """Hand over the requests; return whether it succeeds."""
        experiment, opened = self._loaded.experiment, self.trace.opened
        assert opened is not None

        def prepared() -> None:
            loaded = load_prompts(experiment.workload, self._loaded.base_dir)
            workload = build_workload(
                experiment.workload,
                max_new_tokens=experiment.decoder.max_new_tokens,
                model=opened.model,
                prompts=None if loaded is None else loaded.prompts,
                encoded=encode_in_host(
                    experiment.workload,
                    experiment.model,
                    None if loaded is None else loaded.prompts,
                    datetime.now(),
                ),
            )
            self.trace.requests = list(workload.requests)
            self._call("prepare", requests=[request.to_json() for request in workload.requests])

        return self._step("prepare", prepared)

    def run(self) -> bool:
        """Run the workload once; return whether it succeeds."""

        def ran() -> None:
            before = self.worker.log_path.stat().st_size
            self.trace.runs.append(RunResult.from_json(self._call("run")))
            self.trace.printed_bytes.append(self.worker.log_path.stat().st_size - before)

        return self._step("run", ran)

    def observe(self) -> None:
        """Ask for the observation."""

        def observed() -> None:
            self.trace.observation = Observation.from_json(self._call("observe"))

        self._step("observe", observed)

    def reopen(self) -> None:
        """Reopen the session with the same plan, and run again."""

        def reopened() -> None:
            self._call("reopen", plan=self._plan.to_json())
            self._call("prepare", requests=[request.to_json() for request in self.trace.requests])
            self.trace.reopened = RunResult.from_json(self._call("run"))

        self._step("reopen", reopened)

    def close(self, name: str = "close") -> None:
        """Close the session."""
        self._step(name, lambda: self._call("close"))

    def _call(self, method: str, **params: Any) -> Any:
        limit_s = getattr(self._timeouts, "open_s" if method == "reopen" else f"{method}_s")
        return self.worker.call(method, limit_s, **params)

    def _step(self, name: str, step: Callable[[], Any]) -> bool:
        try:
            with plugin_errors(name):  # a plan or an answer may not be data
                step()
        except LlemError as error:
            self.trace.failures[name] = error
        return name not in self.trace.failures


def run_session(loaded: LoadedExperiment, plan: CallPlan, runs: int = RUNS) -> SessionTrace:
    """Return the trace of a session from its start to its second close.

    Args:
        loaded: The experiment.
        plan: The plan for the session.
        runs: Number of repetitions.
    """
    with TemporaryDirectory(prefix="llem-check-") as folder:
        try:
            worker = start_worker(loaded.experiment.runner, Path(folder, "worker.log"))
        except WorkerDied as error:
            return SessionTrace(failures={"start": error})
        with worker:
            recorder = SessionRecorder(loaded, plan, worker)
            if recorder.start():
                if (
                    recorder.open()
                    and recorder.prepare()
                    and all(recorder.run() for _ in range(runs))
                ):
                    recorder.observe()
                    if loaded.backend.info.hot_swappable:
                        recorder.reopen()
                recorder.close()
                recorder.close("close again")
            return recorder.trace


def with_broken_targets(plan: CallPlan) -> CallPlan:
    """Return ``plan`` with targets that do not exist."""
    document = plan.to_json()
    for call in document["calls"]:
        call["target"] = f"llem_no_such_module.{call['name']}"
    return CallPlan.from_json(document)
