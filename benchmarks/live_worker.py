"""A worker that a benchmark keeps alive, to time one repetition after another."""

from __future__ import annotations

from collections.abc import Iterable

from llem.api.session import OpenReport, Request, RunResult
from llem.process.worker_process import WorkerProcess
from llem.registry import Backend
from llem.schema.call_plan import CallPlan

LIMIT_S = 1800.0
"""Time limit of each call."""


class LiveWorker:
    """A running worker process with the model of ``plan`` loaded.

    Attributes:
        opened: What loading found.
    """

    def __init__(self, process: WorkerProcess, backend: Backend, plan: CallPlan) -> None:
        self._call = process.call
        process.hello(LIMIT_S)
        self._call("start", LIMIT_S, plugin=backend.module, distributions=[])
        self.opened = OpenReport.from_json(self._call("open", LIMIT_S, plan=plan.to_json()))

    def reopen(self, plan: CallPlan) -> None:
        """Take on another plan for the same model."""
        self._call("reopen", LIMIT_S, plan=plan.to_json())

    def prepare(self, requests: Iterable[Request]) -> None:
        """Batch the requests."""
        self._call("prepare", LIMIT_S, requests=[request.to_json() for request in requests])

    def run(self) -> RunResult:
        """Make one repetition."""
        return RunResult.from_json(self._call("run", LIMIT_S))
