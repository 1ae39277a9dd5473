"""One life of a session in a worker, written down, so that many checks can read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
from llem.workload.prompt_sources import load_texts
from llem.workload.tokenizing import find_tokenizer

RUNS = 3
"""Repetitions; the first one is the warm-up."""


@dataclass(slots=True)
class SessionTrace:
    """What happened.

    Attributes:
        failures: The error by step: ``start``, ``open``, ``prepare``, ``run``, ``observe``,
            ``close``, ``close again``, ``reopen``.
        opened: What opening found.
        requests: What was asked for.
        runs: The repetitions that succeeded.
        printed_bytes: What each of them printed.
        observation: What was in force.
        reopened: One more repetition, after the session was opened again.
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
    """Takes a worker through a session's life and writes it down.

    Args:
        loaded: The experiment.
        plan: The plan that the session is given.
        worker: The worker.
    """

    def __init__(self, loaded: LoadedExperiment, plan: CallPlan, worker: WorkerProcess) -> None:
        self.life = SessionTrace()
        self.worker = worker
        self._loaded = loaded
        self._plan = plan
        self._timeouts = loaded.experiment.runner.timeouts

    def start(self) -> bool:
        """Let the worker import the plugin's light module; return whether that worked."""
        backend = self._loaded.backend
        engine = backend.info.engine
        names = [engine.distribution, *engine.alternatives] if engine else []

        def started() -> None:
            self.life.worker = self.worker.hello(self._timeouts.start_s).pid
            answer = self._call("start", plugin=backend.module, distributions=names)
            if engine is not None:
                check_version(engine, answer["versions"], where=self.worker.python)

        return self._step("start", started)

    def open(self) -> bool:
        """Open the session; return whether that worked."""

        def opened() -> None:
            self.life.opened = OpenReport.from_json(self._call("open", plan=self._plan.to_json()))

        return self._step("open", opened)

    def prepare(self) -> bool:
        """Hand over the requests; return whether that worked."""
        experiment, opened = self._loaded.experiment, self.life.opened
        assert opened is not None

        def prepared() -> None:
            texts = load_texts(experiment.workload, self._loaded.base_dir)
            workload = build_workload(
                experiment.workload,
                max_new_tokens=experiment.decoder.max_new_tokens,
                model=opened.model,
                texts=texts,
                tokenizer=None if texts is None else find_tokenizer(experiment.model),
            )
            self.life.requests = list(workload.requests)
            self._call("prepare", requests=[request.to_json() for request in workload.requests])

        return self._step("prepare", prepared)

    def run(self) -> bool:
        """Run the workload once; return whether that worked."""

        def ran() -> None:
            before = self.worker.log_path.stat().st_size
            self.life.runs.append(RunResult.from_json(self._call("run")))
            self.life.printed_bytes.append(self.worker.log_path.stat().st_size - before)

        return self._step("run", ran)

    def observe(self) -> None:
        """Ask what was in force."""

        def observed() -> None:
            self.life.observation = Observation.from_json(self._call("observe"))

        self._step("observe", observed)

    def reopen(self) -> None:
        """Open the session again with the same plan, and run once more."""

        def reopened() -> None:
            self._call("reopen", plan=self._plan.to_json())
            self._call("prepare", requests=[request.to_json() for request in self.life.requests])
            self.life.reopened = RunResult.from_json(self._call("run"))

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
            self.life.failures[name] = error
        return name not in self.life.failures


def run_session(loaded: LoadedExperiment, plan: CallPlan, runs: int = RUNS) -> SessionTrace:
    """Return a session's life from its start to its second close.

    Args:
        loaded: The experiment.
        plan: The plan that the session is given.
        runs: How often the workload is run.
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
            return recorder.life


def with_broken_targets(plan: CallPlan) -> CallPlan:
    """Return ``plan`` with targets that do not exist."""
    document = plan.to_json()
    for call in document["calls"]:
        call["target"] = f"llem_no_such_module.{call['name']}"
    return CallPlan.from_json(document)
