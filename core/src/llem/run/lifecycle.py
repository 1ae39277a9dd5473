"""The phases of an experiment.

Idle → start → open → idle → prepare → warm up → measure → idle → observe → close.

The host keeps the clock, the meters and the repetitions; the worker only answers calls.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from llem.api.session import Observation, OpenReport, RunResult, TokenizerExport
from llem.energy.energy_rows import energy_rows
from llem.energy.precision import EndedBy, Precision, ended_by, is_stable, precision
from llem.errors import EngineError, WorkloadError
from llem.process.worker_process import WorkerProcess
from llem.process.workers import LoadedWorker
from llem.run.baseline import CHECK_S, Baselines, is_unchanged, known_idles, with_age
from llem.run.metering import CpuTime, of_used_devices, power_now_w
from llem.run.run_state import RunState
from llem.run.sampler import Sampler
from llem.schema.experiment import Experiment
from llem.schema.outcome import Reason
from llem.schema.workload import TextWorkload
from llem.workload.build_workload import build_workload, draws_ids, ordinary_ids
from llem.workload.prompt import EncodedPrompts, LoadedPrompts
from llem.workload.tokenizer_files import find_tokenizer, no_tokenizer
from llem.workload.tokenizing import encode_prompts, needs_tokenizer


class Progress(Protocol):
    """Receives the steps of one experiment, between windows only."""

    def phase(self, name: str, detail: str = "") -> None:
        """Take note that phase ``name`` begins."""

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Take note of a finished repetition.

        Args:
            done_s: Window time so far.
            wanted_s: Window time that is required at least.
            output_tokens_per_s: Speed of the repetition.
            power_w: Present power of all devices, ``None`` if unavailable.
        """


class NullProgress:
    """A :class:`Progress` that shows nothing."""

    def phase(self, name: str, detail: str = "") -> None:
        """Ignore the phase."""

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Ignore the repetition."""


EVALUATE_PERIOD_S = 1.0
"""Least time between two evaluations of all readings, for the precision or the live power."""


class Lifecycle:
    """An experiment on a worker.

    Args:
        state: Filled in during the run, so that a failure loses nothing.
        sampler: The running meters.
        progress: Receives each step, between windows.
        prompts: The workload's prompts, or ``None`` for a synthetic one.
        baselines: Idle power of earlier runs.
    """

    def __init__(
        self,
        state: RunState,
        sampler: Sampler,
        progress: Progress,
        prompts: LoadedPrompts | None,
        baselines: Baselines,
    ) -> None:
        self.state = state
        self.sampler = sampler
        self.progress = progress
        self.prompts = prompts
        self.baselines = baselines
        self._edge_s = time.monotonic()  # of the last window or idle span
        self._next_precision_s = self._next_power_s = 0.0
        self._power_w: float | None = None
        self.experiment: Experiment = state.experiment
        self.timeouts = state.experiment.runner.timeouts

    def before_start(self) -> None:
        """Meter the machine before the worker exists."""
        bare_s = self.experiment.measurement.baseline.bare_s
        if bare_s > 0 and not self._reuse_idle():
            self._idle("bare idle", bare_s)

    def start(self, worker: WorkerProcess, plugin: str, distributions: Sequence[str]) -> None:
        """Wait for the worker, and let it import the plugin's light module."""
        self._phase("start", worker.python)
        with self.state.timed("start"):
            self.state.python = worker.hello(self.timeouts.start_s).python
            answer = worker.call(
                "start",
                self.timeouts.start_s,
                plugin=plugin,
                distributions=list(distributions),
            )
        self.state.versions = answer["versions"]

    def take_over(self, loaded: LoadedWorker) -> None:
        """Continue with a worker that has loaded its model in an earlier run."""
        state = self.state
        state.python, state.versions = loaded.python, loaded.versions
        state.opened, state.kept_idle = loaded.opened, with_age(loaded.idle, loaded.metered_s)

    def open(self, worker: WorkerProcess) -> LoadedWorker:
        """Let the worker load the model; return the facts that a later run takes over."""
        self._phase("open", self.experiment.model.id)
        state = self.state
        with state.timed("open"):
            answer = worker.call("open", self.timeouts.open_s, plan=state.plan.to_json())
            state.opened = OpenReport.from_json(answer)
        state.own_processes |= worker.processes()
        series, span = self.sampler.series(), state.spans.get("bare idle")
        idle = state.kept_idle or known_idles(series, span)
        return LoadedWorker(state.python, state.versions, state.opened, idle, time.monotonic())

    def measure(self, worker: WorkerProcess) -> None:
        """Do all phases from the idle model to observing."""
        self._idle("loaded idle", self.experiment.measurement.baseline.loaded_s, worker)
        self._prepare(worker)
        self._warm_up(worker)
        self._repeat(worker)
        self._idle("after idle", self.experiment.measurement.baseline.after_s, worker)
        self._observe(worker)
        self._wait_after_edge(self.sampler.settle_before_stop_s)

    def close(self, worker: WorkerProcess) -> None:
        """Let the worker release the engine."""
        self._phase("close")
        with self.state.timed("close"):
            worker.call("close", self.timeouts.close_s)

    def _prepare(self, worker: WorkerProcess) -> None:
        self._phase("prepare")
        opened = self.state.opened
        assert opened is not None
        with self.state.timed("prepare"):
            self.state.workload = build_workload(
                self.experiment.workload,
                max_new_tokens=self.experiment.decoder.max_new_tokens,
                model=opened.model,
                prompts=self.prompts.prompts if self.prompts else None,
                encoded=self._encoded(worker),
                vocabulary=self._vocabulary(worker),
            )
            requests = [request.to_json() for request in self.state.workload.requests]
            worker.call("prepare", self.timeouts.prepare_s, requests=requests)

    def _encoded(self, worker: WorkerProcess) -> EncodedPrompts | None:
        """Return the token ids of all texts, by the engine's tokenizer where the host has none.

        Raises:
            WorkloadError: Neither has a tokenizer, or a prompt cannot be encoded.
        """
        workload, found = self.experiment.workload, self.prompts
        if found is None or found.encoded is not None or not needs_tokenizer(found.prompts):
            return None if found is None else found.encoded
        assert isinstance(workload, TextWorkload)
        answer = worker.call("tokenizer", self.timeouts.prepare_s)
        if answer is None:
            raise no_tokenizer(self.experiment.model)
        export = TokenizerExport.from_json(answer)
        encoded = encode_prompts(workload, found.prompts, export, self.state.clock)
        self.state.add_remarks(encoded.remarks)
        return encoded

    def _vocabulary(self, worker: WorkerProcess) -> Sequence[int] | None:
        """Return the ids that random prompts may hold; ``None`` if no tokenizer tells."""
        model, prompts = self.experiment.model, self.prompts
        if not draws_ids(prompts.prompts if prompts else None) or model.is_shape:
            return None
        try:
            found = find_tokenizer(model)
            if found is None:
                answer = worker.call("tokenizer", self.timeouts.prepare_s)
                found = None if answer is None else TokenizerExport.from_json(answer)
            return None if found is None else ordinary_ids(found)
        except (WorkloadError, EngineError) as error:
            # A model may be measured without a tokenizer, which random prompts do not need.
            reason = error.message.splitlines()[0]
            self.state.add_remarks([f"random prompts may hold added tokens: {reason}"])
            return None

    def _warm_up(self, worker: WorkerProcess) -> None:
        config = self.experiment.measurement.warmup
        self._phase("warm up")
        durations = self.state.warmup_s
        with self.state.timed("warm up"):
            while True:
                stable = is_stable(durations, config)
                capped = (
                    len(durations) >= config.max_repetitions
                    or sum(durations) >= config.max_duration_s
                )
                if stable or capped:
                    self.state.warmup_stable = stable
                    return
                run = self._run(worker)
                durations.append(run.finished_s - run.started_s)
                self._report(sum(durations), config.max_duration_s, run)

    def _repeat(self, worker: WorkerProcess) -> None:
        config = self.experiment.measurement
        self._settle()
        self._phase("measure")
        done_s = 0.0
        with self.state.timed("measure"), self._watched("windows", worker):
            while (ended := self._ended()) is None:
                run = self._run(worker)
                self.state.runs.append(run)
                self.state.cpu_s += worker.waiting_cpu_s
                done_s += run.finished_s - run.started_s
                self._report(done_s, config.min_duration_s, run)
            self.state.ended_by = ended
            self.state.own_processes |= worker.processes()
            self._edge_s = time.monotonic()

    def _ended(self) -> EndedBy | None:
        """Return why there is no further repetition, or ``None`` if there is one."""
        config, windows = self.experiment.measurement, self.state.windows
        unknown = Precision("duration", float("inf"))
        capped = ended_by(windows, unknown, config)
        is_long = sum(end_s - start_s for start_s, end_s in windows) >= config.min_duration_s
        if capped or not is_long or len(windows) < config.min_repetitions:
            return capped
        if time.monotonic() < self._next_precision_s:
            return None
        # An evaluation takes a moment, so it does not follow every repetition.
        self._next_precision_s = time.monotonic() + EVALUATE_PERIOD_S
        series = of_used_devices(self.sampler.series(), self.state.used_devices)
        reached = precision(energy_rows(series, windows), self.state.output_tokens)
        return ended_by(windows, reached, config)

    def _run(self, worker: WorkerProcess) -> RunResult:
        return RunResult.from_json(worker.call("run", self.timeouts.run_s))

    def _report(self, done_s: float, wanted_s: float, run: RunResult) -> None:
        """Pass the progress on, between two windows."""
        now_s = time.monotonic()
        if now_s >= self._next_power_s:
            self._next_power_s = now_s + EVALUATE_PERIOD_S
            series = of_used_devices(self.sampler.series(), self.state.used_devices)
            self._power_w = power_now_w(series, now_s - self.sampler.settle_s)
        self.progress.repetition(done_s, wanted_s, _rate(run), self._power_w)

    def _observe(self, worker: WorkerProcess) -> None:
        self._phase("observe")
        with self.state.timed("observe"):
            answer = worker.call("observe", self.timeouts.observe_s)
            self.state.observation = Observation.from_json(answer)

    def _reuse_idle(self) -> bool:
        """Take over an earlier run's idle power if it is recent and unchanged."""
        config = self.experiment.measurement
        if config.baseline.reuse_s == 0:
            return False
        kept = self.baselines.recent(self.sampler.series(), config.baseline.reuse_s)
        if kept is None:
            return False
        self._idle("idle check", CHECK_S)
        self._settle()
        span = self.state.spans["idle check"]
        tolerance = config.thresholds.max_idle_drift_ratio
        if is_unchanged(kept, self.sampler.series(), span, tolerance):
            self.state.kept_idle = kept
            return True
        message = "idle power differs from that of an earlier run, so it was metered again"
        self.state.reasons.append(Reason(code="baseline-stale", message=message))
        return False

    def _settle(self) -> None:
        """Wait until there are readings on both sides of the last edge, to interpolate it.

        The first edge is the start: a counter says nothing before its first update.
        """
        self._wait_after_edge(self.sampler.settle_s)

    def _wait_after_edge(self, duration_s: float) -> None:
        time.sleep(max(0.0, self._edge_s + duration_s - time.monotonic()))

    def _idle(self, name: str, duration_s: float, worker: WorkerProcess | None = None) -> None:
        if duration_s == 0 or not self.sampler.sources:
            return
        self._settle()
        self._phase(name)
        with self.state.timed(name), self._watched(name, worker):
            time.sleep(duration_s)
        self._edge_s = time.monotonic()

    @contextmanager
    def _watched(self, name: str, worker: WorkerProcess | None) -> Iterator[None]:
        """Note how busy other programs keep the processors during the block."""
        before = CpuTime.now(worker.processes() if worker else ())
        yield
        later = CpuTime.now(worker.processes() if worker else ())
        self.state.loads[name] = before.foreign_ratio(later)

    def _phase(self, name: str, detail: str = "") -> None:
        self.state.phase = name
        self.progress.phase(name, detail)


def _rate(run: RunResult) -> float:
    """Return output tokens per second of one repetition."""
    tokens = sum(len(request.output_ids) for request in run.requests)
    return tokens / (run.finished_s - run.started_s)
