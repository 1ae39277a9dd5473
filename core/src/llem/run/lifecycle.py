"""Drive one experiment through its life.

Idle → start → open → idle → prepare → warm up → measure → idle → observe → close.

The host keeps the clock, the meters and the repetition; the worker only does what it is told.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from llem.api.session import Observation, OpenReport, RunResult, TokenizerExport
from llem.energy.energy_rows import energy_rows
from llem.energy.precision import EndedBy, Precision, ended_by, is_stable, precision
from llem.process.worker_process import WorkerProcess
from llem.process.workers import Loaded
from llem.run.baseline import CHECK_S, Baselines, aged, known_idles, still_holds
from llem.run.live_power import power_now_w
from llem.run.metering import of_used_devices
from llem.run.preflight import with_shape_folder
from llem.run.run_state import RunState
from llem.run.sampler import Sampler
from llem.schema.experiment import Experiment
from llem.schema.outcome import Reason
from llem.workload.build_workload import build_workload
from llem.workload.tokenizing import find_tokenizer


class Progress(Protocol):
    """Receives the steps of one experiment, between windows only."""

    def phase(self, name: str, detail: str = "") -> None:
        """Say that phase ``name`` begins."""

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Say how much window time is done, of how much, the last repetition's speed, and the
        present power of all devices, ``None`` if unavailable.
        """


class NullProgress:
    """A :class:`Progress` that tells nobody."""

    def phase(self, name: str, detail: str = "") -> None:
        """Ignore the phase."""

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Ignore the repetition."""


JUDGE_EVERY_S = 1.0
"""Least time between two looks at all readings, for the precision reached or the live power."""


class Lifecycle:
    """One experiment on one worker.

    Args:
        record: Filled in as the run goes on, so that a failure loses nothing.
        sampler: The running meters.
        progress: Told each step, between windows.
        texts: The workload's prompts, or ``None`` for a synthetic one.
        baselines: Idle power of earlier runs.
    """

    def __init__(
        self,
        record: RunState,
        sampler: Sampler,
        progress: Progress,
        texts: Sequence[str] | None,
        baselines: Baselines,
    ) -> None:
        self.record = record
        self.sampler = sampler
        self.progress = progress
        self.texts = texts
        self.baselines = baselines
        self._edge_s = time.monotonic()  # of the last window or idle span
        self._judge_again_s = self._power_again_s = 0.0
        self._power_w: float | None = None
        self.experiment: Experiment = record.experiment
        self.timeouts = record.experiment.runner.timeouts

    def before_start(self) -> None:
        """Meter the machine before the worker exists."""
        bare_s = self.experiment.measurement.baseline.bare_s
        if bare_s > 0 and not self._takes_over_idle():
            self._idle("bare idle", bare_s)

    def start(self, worker: WorkerProcess, plugin: str, distributions: Sequence[str]) -> None:
        """Wait for the worker and let it import the plugin's light module."""
        self._phase("start", worker.python)
        with self.record.timed("start"):
            self.record.python = worker.hello(self.timeouts.start_s).python
            answer = worker.call(
                "start",
                self.timeouts.start_s,
                plugin=plugin,
                distributions=list(distributions),
            )
        self.record.versions = answer["versions"]

    def go_on(self, loaded: Loaded) -> None:
        """Take over a worker whose model is loaded, and what was found out before it was."""
        record = self.record
        record.python, record.versions = loaded.python, loaded.versions
        record.opened, record.kept_idle = loaded.opened, aged(loaded.idle, loaded.metered_s)

    def open(self, worker: WorkerProcess) -> Loaded:
        """Let the worker load the model; return what somebody who goes on with it must know."""
        self._phase("open", self.experiment.model.id)
        record = self.record
        with record.timed("open"):
            answer = worker.call("open", self.timeouts.open_s, plan=record.plan.to_json())
            record.opened = OpenReport.from_json(answer)
        record.own_processes |= worker.processes()
        series, span = self.sampler.series(), record.spans.get("bare idle")
        idle = record.kept_idle or known_idles(series, span)
        return Loaded(record.python, record.versions, record.opened, idle, time.monotonic())

    def measure(self, worker: WorkerProcess) -> None:
        """Do everything from the idle model to observing."""
        self._idle("loaded idle", self.experiment.measurement.baseline.loaded_s)
        self._prepare(worker)
        self._warm_up(worker)
        self._repeat(worker)
        self._idle("after idle", self.experiment.measurement.baseline.after_s)
        self._observe(worker)
        self._pass_edge(self.sampler.settle_before_stop_s)

    def close(self, worker: WorkerProcess) -> None:
        """Let the worker release the engine."""
        self._phase("close")
        with self.record.timed("close"):
            worker.call("close", self.timeouts.close_s)

    def _prepare(self, worker: WorkerProcess) -> None:
        self._phase("prepare")
        opened = self.record.opened
        assert opened is not None
        with self.record.timed("prepare"):
            self.record.workload = build_workload(
                self.experiment.workload,
                max_new_tokens=self.experiment.decoder.max_new_tokens,
                model=opened.model,
                texts=self.texts,
                tokenizer=self._tokenizer(worker),
            )
            requests = [request.to_json() for request in self.record.workload.requests]
            worker.call("prepare", self.timeouts.prepare_s, requests=requests)

    def _tokenizer(self, worker: WorkerProcess) -> TokenizerExport | None:
        """Return the tokenizer the host can read itself, else the one the engine hands out."""
        if self.texts is None:
            return None
        found = find_tokenizer(with_shape_folder(self.experiment).model)
        if found is not None:
            return found
        answer = worker.call("tokenizer", self.timeouts.prepare_s)
        return None if answer is None else TokenizerExport.from_json(answer)

    def _warm_up(self, worker: WorkerProcess) -> None:
        config = self.experiment.measurement.warmup
        self._phase("warm up")
        durations = self.record.warmup_s
        with self.record.timed("warm up"):
            while True:
                stable = is_stable(durations, config)
                capped = (
                    len(durations) >= config.max_repetitions
                    or sum(durations) >= config.max_duration_s
                )
                if stable or capped:
                    self.record.warmup_stable = stable
                    return
                run = self._run(worker)
                durations.append(run.finished_s - run.started_s)
                self._tell(sum(durations), config.max_duration_s, run)

    def _repeat(self, worker: WorkerProcess) -> None:
        config = self.experiment.measurement
        self._settle()
        self._phase("measure")
        done_s = 0.0
        with self.record.timed("measure"):
            while (ended := self._ended()) is None:
                run = self._run(worker)
                self.record.runs.append(run)
                self.record.cpu_s += worker.waiting_cpu_s
                done_s += run.finished_s - run.started_s
                self._tell(done_s, config.min_duration_s, run)
            self.record.ended_by = ended
            self.record.own_processes |= worker.processes()
            self._edge_s = time.monotonic()

    def _ended(self) -> EndedBy | None:
        """Return why there is no further repetition, or ``None`` if there is one."""
        config, windows = self.experiment.measurement, self.record.windows
        unknown = Precision("duration", float("inf"))
        capped = ended_by(windows, unknown, config)
        least = sum(end_s - start_s for start_s, end_s in windows) >= config.min_duration_s
        if capped or not least or len(windows) < config.min_repetitions:
            return capped
        if time.monotonic() < self._judge_again_s:
            return None
        # Looking at all readings takes a moment, so that it is not done after each repetition.
        self._judge_again_s = time.monotonic() + JUDGE_EVERY_S
        series = of_used_devices(self.sampler.series(), self.record.used_devices)
        rows = energy_rows(series, windows)
        return ended_by(windows, precision(rows, self.record.output_tokens), config)

    def _run(self, worker: WorkerProcess) -> RunResult:
        return RunResult.from_json(worker.call("run", self.timeouts.run_s))

    def _tell(self, done_s: float, wanted_s: float, run: RunResult) -> None:
        """Tell the observer how far the windows are, between two of them."""
        now_s = time.monotonic()
        if now_s >= self._power_again_s:
            self._power_again_s = now_s + JUDGE_EVERY_S
            series = of_used_devices(self.sampler.series(), self.record.used_devices)
            self._power_w = power_now_w(series, now_s - self.sampler.settle_s)
        self.progress.repetition(done_s, wanted_s, _rate(run), self._power_w)

    def _observe(self, worker: WorkerProcess) -> None:
        self._phase("observe")
        with self.record.timed("observe"):
            answer = worker.call("observe", self.timeouts.observe_s)
            self.record.observation = Observation.from_json(answer)

    def _takes_over_idle(self) -> bool:
        """Use an earlier run's idle power if it is fresh and the machine still idles so."""
        config = self.experiment.measurement
        if config.baseline.reuse_s == 0:
            return False
        kept = self.baselines.fresh(self.sampler.series(), config.baseline.reuse_s)
        if kept is None:
            return False
        self._idle("idle check", CHECK_S)
        self._settle()
        span = self.record.spans["idle check"]
        tolerance = config.thresholds.max_idle_drift_ratio
        if still_holds(kept, self.sampler.series(), span, tolerance):
            self.record.kept_idle = kept
            return True
        message = "the machine did not idle as in an earlier run, so that it was metered again"
        self.record.reasons.append(Reason(code="baseline-stale", message=message))
        return False

    def _settle(self) -> None:
        """Wait until there are readings on both sides of the last edge, to interpolate it.

        The first edge is the beginning: until its first renewal nothing can be read from a counter.
        """
        self._pass_edge(self.sampler.settle_s)

    def _pass_edge(self, by_s: float) -> None:
        time.sleep(max(0.0, self._edge_s + by_s - time.monotonic()))

    def _idle(self, name: str, duration_s: float) -> None:
        if duration_s == 0 or not self.sampler.sources:
            return
        self._settle()
        self._phase(name)
        with self.record.timed(name):
            time.sleep(duration_s)
        self._edge_s = time.monotonic()

    def _phase(self, name: str, detail: str = "") -> None:
        self.record.phase = name
        self.progress.phase(name, detail)


def _rate(run: RunResult) -> float:
    """Return output tokens per second of one repetition."""
    tokens = sum(len(request.output_ids) for request in run.requests)
    return tokens / (run.finished_s - run.started_s)
