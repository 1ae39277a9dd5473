"""Run a study: every run once, in order, across crashes and interruptions."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from llem.config.redact import redact
from llem.errors import (
    BackendUnavailable,
    ConfigError,
    ConfigInvalid,
    LlemError,
    OutputRefused,
    StorageError,
)
from llem.registry import Registry
from llem.results.folder import OUTCOME_FILE, writing_results_to
from llem.run.host_info import host_facts, visible_gpus
from llem.run.preflight import require_engine
from llem.schema.outcome import RunPosition
from llem.study.executor import Executor, LocalExecutor, Task, hottest_celsius, wait_until_cool
from llem.study.failures import FailureStreak, Pruning, StreakAction
from llem.study.journal import JOURNAL_FILE, Entry, Journal, StudyProgress
from llem.study.lock import device_locks, study_lock
from llem.study.manifest import Manifest, check_unchanged, read_manifest
from llem.study.plan_summary import label
from llem.study.study_plan import Run, StudyPlan
from llem.study.study_preflight import refuse_here
from llem.study.study_state import FINAL, WITHOUT_OUTCOME, finished_runs, stored_end, tidy_folders


@dataclass(frozen=True, slots=True)
class ResumeOptions:
    """What to do about a study that was begun before.

    Attributes:
        resume: Whether to continue it; otherwise it is refused.
        retry_failed: Whether failed runs are run again.
        accept_drift: Whether to continue although the study has changed; the change is recorded.
        take_over: Whether to assume that another machine no longer runs it.
    """

    resume: bool = False
    retry_failed: bool = False
    accept_drift: bool = False
    take_over: bool = False


@dataclass(slots=True)
class Summary:
    """How far a study is.

    Attributes:
        folder: Its folder.
        total: Number of runs.
        states: Number of runs in each final state.
        not_valid: Number of outcomes that are done and not valid.
        interrupted: Whether the user stopped it.
        stopped: Why it stopped by itself, or empty.
    """

    folder: Path
    total: int
    states: Counter[str] = field(default_factory=Counter)
    not_valid: int = 0
    interrupted: bool = False
    stopped: str = ""

    @property
    def left(self) -> int:
        """Runs that remain; a refused run is tried again."""
        return self.total - self.states.total() + self.states["refused"]


def run_study(
    plan: StudyPlan,
    registry: Registry,
    results: Path,
    progress: StudyProgress,
    options: ResumeOptions = ResumeOptions(),
    *,
    executor: Executor | None = None,
    sleep: Callable[[float], None] = time.sleep,
    temperature: Callable[[], float | None] = hottest_celsius,
) -> Summary:
    """Run everything of ``plan`` that was not run before.

    Args:
        plan: The study.
        registry: The installed plugins.
        results: Folder that receives the study's folder.
        progress: Told each step, between windows.
        options: What to do about a study that was begun before.
        executor: Carries out the runs; on this machine by default.
        sleep: Waits so many seconds.
        temperature: Returns the devices' temperature in °C.

    Raises:
        ConfigError: The study cannot be run, or not in this folder.
        BackendUnavailable: A backend, engine or device of it cannot be used.
        StorageError: The disk refused; everything that was finished before is stored.
    """
    study, folder = plan.study, results / plan.study.name
    host, is_begun = host_facts(), (folder / JOURNAL_FILE).exists()
    if not is_begun:
        refuse_here(plan, registry, host)
    for grid in study.grids:
        # An environment that `runner.python` names is checked by its runs.
        require_engine(grid.backend, elsewhere=None not in grid.values_of("runner", "python"))
    _make_folder(folder, resume=options.resume)
    with ExitStack() as stack:
        dead_owner = stack.enter_context(study_lock(folder, take_over=options.take_over))
        stack.enter_context(device_locks([gpu.uuid for gpu in visible_gpus()]))
        now = Manifest.of(plan)
        begun = read_manifest(folder)
        changes = check_unchanged(begun, now, accept=options.accept_drift) if begun else []
        if begun is None or changes:
            now.write(folder)
        journal = stack.enter_context(Journal(folder))
        attempt = StudyRun(plan, folder, journal, progress, sleep, temperature)
        attempt.record("study-resumed" if begun else "study-begun", versions=dict(now.versions))
        for remark in plan.remarks() if begun is None else ():
            attempt.record("design-remark", remark=remark)
        if dead_owner is not None:
            attempt.record("lock-taken-over", owner=dead_owner)
        if changes:
            attempt.record("drift-accepted", changes=changes)
        attempt.recover(retry_failed=options.retry_failed)
        if is_begun:
            refuse_here(plan, registry, host, attempt.experiments_left())
        executor = executor or LocalExecutor(registry, folder, study.settings)
        stack.callback(executor.close)
        observers, name = registry.observers, study.name
        observers.study_started(name, folder, runs=plan.run_count, left=attempt.summary.left)
        try:
            return attempt.run(executor)
        finally:
            observers.study_finished(
                name, folder, states=attempt.summary.states, left=attempt.summary.left
            )


@dataclass
class StudyRun:
    """One attempt at a study; it ends when no run is left, or when it is stopped.

    Attributes:
        plan: The study.
        folder: Its folder, locked.
        journal: Its journal, open.
        progress: Told each step.
        sleep: Waits so many seconds.
        temperature: Returns the devices' temperature in °C.
    """

    plan: StudyPlan
    folder: Path
    journal: Journal
    progress: StudyProgress
    sleep: Callable[[float], None]
    temperature: Callable[[], float | None]

    def __post_init__(self) -> None:
        self.settings = self.plan.study.settings
        self.streak = FailureStreak(self.settings.failures)
        self.pruning = Pruning(self.settings.failures.prune)
        self.summary = Summary(self.folder, self.plan.run_count)
        self._over: set[str] = set()
        self._last_block: int | None = None
        self._durations_s: list[float] = []

    @cached_property
    def begun_at(self) -> datetime:
        """Local time when the study was begun, also after it was resumed."""
        begun = next(entry for entry in self.journal.entries if entry["event"] == "study-begun")
        return datetime.fromisoformat(begun["at"]).astimezone().replace(microsecond=0, tzinfo=None)

    def record(self, event: str, **details: object) -> None:
        """Write into the journal, and tell the observer."""
        self.progress.journal_event(self.journal.write(event, **details))

    def recover(self, *, retry_failed: bool) -> None:
        """Find out which runs are over: the journal says so, and the outcomes confirm it."""
        tidy_folders(self.folder)
        entries = finished_runs(self.journal.entries)
        for position, run in enumerate(self.plan.runs()):
            entry = self._end_of(run, position, entries.get(run.id))
            if entry is None or entry["status"] not in FINAL:
                continue
            if not (retry_failed and entry["status"] == "failed"):
                self._count(run, entry["status"], valid=entry.get("valid"))

    def experiments_left(self) -> Iterable[int]:
        """Return the numbers of the experiments with a run that remains."""
        return dict.fromkeys(run.experiment for run in self.plan.runs() if run.id not in self._over)

    def _end_of(self, run: Run, position: int, entry: Entry | None) -> Entry | None:
        """Return how a run ended, if it did; an outcome counts more than the journal's entry."""
        if entry is not None and entry["status"] in WITHOUT_OUTCOME:
            return entry
        folder = self.folder / run.id
        stored = stored_end(folder)
        if stored is None:
            if entry is not None and entry["status"] in FINAL:
                exists = (folder / OUTCOME_FILE).exists()
                event = "outcome-damaged" if exists else "outcome-missing"
                self.record(event, run=run.id, position=position)
            return None
        if entry is not None:
            return entry
        end = stored._asdict()
        self.record("run-finished", run=run.id, position=position, **end, recovered=True)
        return end

    def run(self, executor: Executor) -> Summary:
        """Carry out the runs that remain, in order."""
        summary = self.summary
        try:
            for position, run in enumerate(self.plan.runs()):
                if run.id not in self._over and not self._run(run, position, executor):
                    break
        except KeyboardInterrupt:
            summary.interrupted = True
            self.record("study-interrupted")
        except LlemError as error:
            if not isinstance(error, StorageError):
                self.record("study-stopped", reason=error.message)
            raise
        if summary.left == 0:
            self.record("study-finished", states=dict(summary.states))
        elif summary.left == summary.states["refused"]:
            summary.stopped = "refused"
            self.record("study-stopped", reason=f"refused runs: {summary.left}")
        return summary

    def _run(self, run: Run, position: int, executor: Executor) -> bool:
        """Carry out one run; return whether the study continues after it."""
        settings = self.plan.settings(run.experiment)[0]
        if (cause := self.pruning.cause(settings)) is not None:
            self._finish(run, position, "pruned", because_of=cause)
            return True
        waited = self._wait_before(run)
        self.progress.run_begins(position + 1, self.plan.run_count, label(settings), self._left_s())
        self.record("run-started", run=run.id, position=position, **waited)
        started_s = time.monotonic()
        try:
            status, valid = executor.execute(self._task(run, position), self.progress)
        except (ConfigError, BackendUnavailable) as error:
            self._finish(run, position, "refused", reason=error.message)
            return True
        self._durations_s.append(time.monotonic() - started_s)
        if status == "interrupted":
            self.record("run-finished", run=run.id, position=position, status=status)
            raise KeyboardInterrupt
        self._finish(run, position, status, valid=valid)
        return self._apply(self.streak.after(status))

    def _apply(self, action: StreakAction) -> bool:
        """Pause or stop where runs keep failing; return whether the study continues."""
        if action is StreakAction.PAUSE:
            failures = self.settings.failures
            self.record(
                "study-paused", failures=failures.stop_after, probe_after_s=failures.probe_after_s
            )
            self.sleep(failures.probe_after_s)
        if action is StreakAction.STOP:
            self.summary.stopped = "runs kept failing, also after the pause"
            self.record("study-stopped", reason=self.summary.stopped)
        return action is not StreakAction.STOP

    def _finish(self, run: Run, position: int, status: str, **details: object) -> None:
        self.record("run-finished", run=run.id, position=position, status=status, **details)
        self._count(run, status, valid=details.get("valid"))

    def _count(self, run: Run, status: str, *, valid: object) -> None:
        self._over.add(run.id)
        self.summary.states[status] += 1
        if status == "done" and valid is False:
            self.summary.not_valid += 1
        if status == "out-of-memory":
            for settings in self.plan.settings(run.experiment):
                self.pruning.add(settings, run.id)

    def _wait_before(self, run: Run) -> dict[str, object]:
        """Pause and cool down before a run; return what the journal says about it."""
        if self._last_block is not None:
            same = run.place.block == self._last_block
            self.sleep(self.settings.gap_s if same else self.settings.block_gap_s)
        self._last_block = run.place.block
        if self.settings.thermal is None:
            return {}
        waited_s, celsius = wait_until_cool(self.settings.thermal, self.temperature, self.sleep)
        return {"cooled_s": waited_s, "celsius": celsius}

    def _left_s(self) -> float:
        """Estimate how long the remaining runs take, from the runs so far if there are any."""
        if not self._durations_s:
            return self.plan.least_s * self.summary.left / self.plan.run_count
        return self.summary.left * statistics.fmean(self._durations_s)

    def _task(self, run: Run, position: int) -> Task:
        study = self.plan.study
        point = study.point(self.plan.points(run.experiment)[0])
        if point.loaded is None:  # its model was removed since the study was planned
            raise ConfigInvalid(point.refusals)
        place = RunPosition(
            name=study.name,
            run_id=run.id,
            repeat=run.place.repeat,
            block=run.place.block,
            position=position,
            points=tuple(redact(self.plan.settings(run.experiment))),
        )
        return Task(point.loaded, place, self.begun_at)


def _make_folder(folder: Path, *, resume: bool) -> None:
    """Make the study's folder.

    Raises:
        OutputRefused: It cannot be made, or holds something else, or a study that was begun before.
    """
    if (folder / OUTCOME_FILE).exists():
        raise OutputRefused(
            f"{folder} is the outcome of an experiment",
            hint="Choose another name with study.name, or another folder with --out.",
        )
    if (folder / JOURNAL_FILE).exists() and not resume:
        raise OutputRefused(
            f"the study in {folder} was begun already",
            hint="Continue with --resume, or start a new study with another --out.",
        )
    with writing_results_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
