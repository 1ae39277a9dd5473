"""The state of a run; the outcome is built from it, however far the run came."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from llem.api.capability import HostInfo
from llem.api.meters import DeviceState, Series
from llem.api.session import Observation, OpenReport, RunResult
from llem.energy.domain_energy import Domain
from llem.energy.idle import Idle
from llem.energy.precision import EndedBy
from llem.errors import ExperimentFailed, LlemError, OutOfMemory
from llem.run.host_info import whole_devices
from llem.schema.call_plan import CallPlan
from llem.schema.experiment import Experiment
from llem.schema.outcome import Failure, Reason, WorkerOrigin
from llem.workload.build_workload import PreparedWorkload
from llem.workload.chat_template import present_time

Span = tuple[float, float]
"""Start and end on the monotonic clock, in seconds."""


@dataclass(slots=True)
class RunState:
    """The run so far.

    Attributes:
        plan: The calls that the worker makes.
        variables: Names of environment variables that the backend wants recorded.
        phase: The present phase, or the last phase of a run that has ended.
        spans: Start and end of each finished phase.
        python: Version of the worker's interpreter.
        versions: Distributions in the worker.
        clock: The local time that chat templates see.
        workload: The requests of a repetition.
        warmup_s: Duration of each warm-up repetition.
        kept_idle: Bare idle power taken over from an earlier run.
        warmup_stable: Whether the warm-up ended because it was stable.
        runs: The measured repetitions.
        ended_by: Why there were no more repetitions.
        own_processes: Ids of the worker and of all processes it started.
        device_states: Temperature, clocks and the like of the devices, over the whole run.
        cpu_s: Host CPU time inside the windows.
        loads: Share of the processors' time that other programs used, in the windows and while
            the machine idled.
        series: Readings of every channel over the whole run.
        reasons: Reasons so far that the verdict depends on.
        warnings: Remarks that the verdict does not depend on.
        failure: How the run failed, if it did.
        interrupted: Whether the user stopped it.
    """

    experiment: Experiment
    plan: CallPlan
    host: HostInfo
    variables: tuple[str, ...] = ()
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    started_s: float = field(default_factory=time.monotonic)
    worker: WorkerOrigin = "fresh"
    phase: str = "preflight"
    spans: dict[str, Span] = field(default_factory=dict)
    python: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    opened: OpenReport | None = None
    clock: datetime = field(default_factory=present_time)
    workload: PreparedWorkload | None = None
    warmup_s: list[float] = field(default_factory=list)
    kept_idle: Mapping[Domain, Idle] | None = None
    warmup_stable: bool = False
    runs: list[RunResult] = field(default_factory=list)
    ended_by: EndedBy | None = None
    own_processes: set[int] = field(default_factory=set)
    device_states: list[DeviceState] = field(default_factory=list)
    cpu_s: float = 0.0
    loads: dict[str, float] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    observation: Observation | None = None
    reasons: list[Reason] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    failure: Failure | None = None
    interrupted: bool = False

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Set the phase for the block, and record its span if the block succeeds."""
        self.phase = phase
        started_s = time.monotonic()
        yield
        self.spans[phase] = (started_s, time.monotonic())

    def duration_s(self, phase: str) -> float | None:
        """Return how long ``phase`` took; ``None`` if it did not finish."""
        span = self.spans.get(phase)
        return None if span is None else span[1] - span[0]

    @property
    def status(self) -> Literal["done", "failed", "out-of-memory", "interrupted"]:
        """The outcome's status."""
        if self.interrupted:
            return "interrupted"
        if self.failure is None:
            return "done"
        return "out-of-memory" if self.failure.code == OutOfMemory.code else "failed"

    @property
    def windows(self) -> list[Span]:
        """The window of each measured repetition."""
        return [(run.started_s, run.finished_s) for run in self.runs]

    @property
    def output_tokens(self) -> list[int]:
        """Generated tokens of each measured repetition."""
        return [sum(len(request.output_ids) for request in run.requests) for run in self.runs]

    @property
    def used_devices(self) -> list[str]:
        """The devices that the engine used, a MIG instance as the whole device."""
        return whole_devices(self.opened.devices if self.opened else (), self.host.gpus)

    def add_remarks(self, remarks: Iterable[str]) -> None:
        """Record what the prompts' source holds, or their settings ask, without effect."""
        self.warnings += [Reason(code="prompts-remark", message=remark) for remark in remarks]

    def fail(self, error: LlemError, hint: str = "") -> None:
        """Record the error that ended the run."""
        self.failure = Failure(
            code=error.code,
            phase=self.phase,
            message=error.message,
            hint=hint or error.hint,
            error_type=error.error_type if isinstance(error, ExperimentFailed) else "",
            traceback=error.traceback if isinstance(error, ExperimentFailed) else "",
        )
