"""Run a study: every run once, in order, whatever happens in between."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from llem.config.redact import redact
from llem.errors import ConfigError, LlemError, OutputRefused, StorageError
from llem.registry import Registry
from llem.results import read_document
from llem.results.folder import OUTCOME_FILE
from llem.run.host_info import visible_gpus
from llem.schema.outcome import RunPosition
from llem.study.cooldown import hottest_celsius, wait_until_cool
from llem.study.executor import Executor, LocalExecutor, Task
from llem.study.failures import Advice, FailureStreak, Pruning
from llem.study.journal import JOURNAL_FILE, Entry, Journal, StudyProgress
from llem.study.lock import device_locks, study_lock
from llem.study.manifest import Manifest, check_unchanged, read_manifest
from llem.study.plan_summary import label
from llem.study.study_plan import Run, StudyPlan

FINAL = frozenset({"done", "failed", "out-of-memory", "refused", "pruned"})
"""States after which a run is not run again."""

WITHOUT_OUTCOME = frozenset({"refused", "pruned"})
"""Final states of runs that were never started."""


@dataclass(frozen=True, slots=True)
class ResumeOptions:
    """What to do about a study that was begun.

    Attributes:
        resume: Whether to go on with it; otherwise it is refused.
        retry_failed: Whether runs that failed are run again.
        accept_drift: Whether to go on although it has changed; what has is recorded.
        take_over: Whether to believe that another machine does not run it any more.
    """

    resume: bool = False
    retry_failed: bool = False
    accept_drift: bool = False
    take_over: bool = False


@dataclass(slots=True)
class Summary:
    """How a study stands.

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
        """Runs that are still to be run."""
        return self.total - self.states.total()


def run_study(
    plan: StudyPlan,
    registry: Registry,
    results: Path,
    progress: StudyProgress,
    resumption: ResumeOptions = ResumeOptions(),
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
        resumption: What to do about a study that was begun.
        executor: Carries out the runs; on this machine by default.
        sleep: Waits so many seconds.
        temperature: Returns the devices' temperature in °C.

    Raises:
        ConfigError: The study cannot be run, or not in this folder.
        BackendUnavailable: A backend, engine or device of it cannot be used.
        StorageError: Something could not be written; what was finished before is stored.
    """
    folder = results / plan.study.name
    _require_engines(plan)
    _make_folder(folder, resume=resumption.resume)
    with ExitStack() as stack:
        died = stack.enter_context(study_lock(folder, take_over=resumption.take_over))
        stack.enter_context(device_locks([gpu.uuid for gpu in visible_gpus()]))
        now = Manifest.of(plan)
        begun = read_manifest(folder)
        changes = check_unchanged(begun, now, accept=resumption.accept_drift) if begun else []
        if begun is None or changes:
            now.write(folder)
        journal = stack.enter_context(Journal(folder))
        study = StudyRun(plan, folder, journal, progress, sleep, temperature)
        study.note("study-resumed" if begun else "study-begun", versions=dict(now.versions))
        if died is not None:
            study.note("lock-taken-over", owner=died)
        if changes:
            study.note("drift-accepted", changes=changes)
        study.recover(retry_failed=resumption.retry_failed)
        own = executor or LocalExecutor(registry, folder, plan.study.base_dir, plan.study.settings)
        stack.callback(own.close)
        observers, name = registry.observers, plan.study.name
        observers.study_started(name, folder, runs=plan.run_count, left=study.left)
        try:
            return study.run(own)
        finally:
            observers.study_finished(
                name, folder, states=Counter(study.states.values()), left=study.left
            )


class StudyRun:
    """One attempt at a study, that ends when nothing is left, or when it is stopped.

    Args:
        plan: The study.
        folder: Its folder, locked.
        journal: Its journal, open.
        progress: Told each step.
        sleep: Waits so many seconds.
        temperature: Returns the devices' temperature in °C.
    """

    def __init__(
        self,
        plan: StudyPlan,
        folder: Path,
        journal: Journal,
        progress: StudyProgress,
        sleep: Callable[[float], None],
        temperature: Callable[[], float | None],
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.journal = journal
        self.progress = progress
        self.sleep = sleep
        self.temperature = temperature
        self.settings = plan.study.settings
        self.streak = FailureStreak(self.settings.failures)
        self.pruning = Pruning(self.settings.failures.prune)
        self.states: dict[str, str] = {}
        self.not_valid: set[str] = set()
        self._last_block: int | None = None
        self._durations_s: list[float] = []

    @property
    def left(self) -> int:
        """Runs that are still to be run."""
        return self.plan.run_count - len(self.states)

    def note(self, event: str, **details: object) -> None:
        """Write into the journal, and tell the observer."""
        self.progress.entry(self.journal.write(event, **details))

    def recover(self, *, retry_failed: bool) -> None:
        """Find out which runs are over: the journal says so, and the outcomes bear it out."""
        for folder in sorted(self.folder.glob(".*.partial")):
            final = self.folder / folder.name.removeprefix(".").removesuffix(".partial")
            # The outcome is the last file to be written: only the folder's name is missing.
            if (folder / OUTCOME_FILE).is_file() and not final.exists():
                folder.rename(final)
        for pattern in (".*.partial", ".*.replaced"):
            for folder in self.folder.glob(pattern):
                shutil.rmtree(folder, ignore_errors=True)
        said = {
            entry["run"]: entry
            for entry in self.journal.entries
            if entry["event"] == "run-finished"
        }
        for position, run in enumerate(self.plan.runs()):
            entry = self._end_of(run, position, said.get(run.id))
            if entry is None or entry["status"] not in FINAL:
                continue
            if not (retry_failed and entry["status"] == "failed"):
                self._count(run, entry["status"], valid=entry.get("valid"))
                if entry["status"] == "out-of-memory":
                    self._note_memory(run)

    def _end_of(self, run: Run, position: int, said: Entry | None) -> Entry | None:
        """Return how a run ended, if it did; an outcome counts more than what the journal says."""
        if said is not None and said["status"] in WITHOUT_OUTCOME:
            return said
        if not (self.folder / run.id / OUTCOME_FILE).is_file():
            if said is not None and said["status"] in FINAL:
                self.note("outcome-missing", run=run.id, position=position)
            return None
        if said is not None:
            return said
        try:
            document = read_document(self.folder / run.id)
            end = {"status": str(document["status"]), "valid": document["verdict"]["valid"]}
        except StorageError:
            return None
        self.note("run-finished", run=run.id, position=position, **end, recovered=True)
        return end

    def run(self, executor: Executor) -> Summary:
        """Run what is left, in order."""
        summary = Summary(self.folder, self.plan.run_count)
        runs = list(self.plan.runs())
        try:
            for position, run in enumerate(runs):
                if run.id not in self.states and not self._go_on(run, position, executor, summary):
                    break
        except KeyboardInterrupt:
            summary.interrupted = True
            self.note("study-interrupted")
        except LlemError as error:
            if not isinstance(error, StorageError):
                self.note("study-stopped", reason=error.message)
            raise
        summary.states = Counter(self.states.values())
        summary.not_valid = len(self.not_valid)
        if summary.left == 0:
            self.note("study-finished", states=dict(summary.states))
        return summary

    def _go_on(self, run: Run, position: int, executor: Executor, summary: Summary) -> bool:
        """Carry out one run; return whether the study goes on after it."""
        points = self.plan.settings(run.experiment)
        if (cause := self.pruning.cause(points[0])) is not None:
            self._finish(run, position, "pruned", because_of=cause)
            return True
        waited = self._wait_before(run)
        self.progress.run_begins(
            position + 1, self.plan.run_count, label(points[0]), self._left_s()
        )
        self.note("run-started", run=run.id, position=position, **waited)
        started_s = time.monotonic()
        try:
            outcome = executor.execute(self._task(run, position, points), self.progress)
        except ConfigError as error:
            self._finish(run, position, "refused", reason=error.message)
            return True
        self._durations_s.append(time.monotonic() - started_s)
        status = outcome["status"]
        if status == "interrupted":
            self.note("run-finished", run=run.id, position=position, status=status)
            self.note("study-interrupted")
            summary.interrupted = True
            return False
        self._finish(run, position, status, valid=outcome["verdict"]["valid"])
        if status == "out-of-memory":
            self._note_memory(run)
        return self._heed(self.streak.after(status), summary)

    def _heed(self, advice: Advice, summary: Summary) -> bool:
        if advice is Advice.PAUSE:
            failures = self.settings.failures
            self.note(
                "study-paused", failures=failures.stop_after, probe_after_s=failures.probe_after_s
            )
            self.sleep(failures.probe_after_s)
        if advice is Advice.STOP:
            summary.stopped = "runs kept failing, the one after the pause included"
            self.note("study-stopped", reason=summary.stopped)
        return advice is not Advice.STOP

    def _finish(self, run: Run, position: int, status: str, **details: object) -> None:
        self.note("run-finished", run=run.id, position=position, status=status, **details)
        self._count(run, status, valid=details.get("valid"))

    def _count(self, run: Run, status: str, *, valid: object) -> None:
        self.states[run.id] = status
        if status == "done" and valid is False:
            self.not_valid.add(run.id)

    def _note_memory(self, run: Run) -> None:
        for settings in self.plan.settings(run.experiment):
            self.pruning.note(settings, run.id)

    def _wait_before(self, run: Run) -> dict[str, object]:
        """Pause and cool down before a run; return what to write down about it."""
        if self._last_block is not None:
            same = run.place.block == self._last_block
            self.sleep(self.settings.gap_s if same else self.settings.block_gap_s)
        self._last_block = run.place.block
        if self.settings.thermal is None:
            return {}
        waited_s, celsius = wait_until_cool(self.settings.thermal, self.temperature, self.sleep)
        return {"cooled_s": waited_s, "celsius": celsius}

    def _left_s(self) -> float:
        """Estimate how long what is left will take: as long as what was run, if anything was."""
        if not self._durations_s:
            return self.plan.least_s * self.left / self.plan.run_count
        return self.left * sum(self._durations_s) / len(self._durations_s)

    def _task(self, run: Run, position: int, points: Sequence[dict[str, object]]) -> Task:
        number = self.plan.experiments[self.plan.ids[run.experiment]][0]
        experiment = self.plan.study.loaded(number).experiment
        place = RunPosition(
            name=self.plan.study.name,
            run_id=run.id,
            repeat=run.place.repeat,
            block=run.place.block,
            position=position,
            points=tuple(redact(list(points))),
        )
        return Task(experiment.model_dump(mode="json", exclude_unset=True), place)


def _require_engines(plan: StudyPlan) -> None:
    """Check every backend that runs in this environment, before anything is started.

    Raises:
        BackendUnavailable: One of them cannot be used.
    """
    for points in plan.study.grids:
        runner = points.grid.base.get("runner") or {}
        if "python" not in runner:
            points.grid.backend.require_engine()


def _make_folder(folder: Path, *, resume: bool) -> None:
    """Make the study's folder.

    Raises:
        OutputRefused: It cannot be made, or holds something else, or a study that was begun.
    """
    if (folder / OUTCOME_FILE).exists():
        raise OutputRefused(
            f"{folder} is the outcome of an experiment",
            hint="Name the study otherwise with study.name, or choose another --out.",
        )
    if (folder / JOURNAL_FILE).exists() and not resume:
        raise OutputRefused(
            f"the study in {folder} was begun already",
            hint="Go on with --resume, or begin anew with another --out.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputRefused(
            f"cannot write results to {folder}: {error.strerror}",
            hint="Choose another folder with --out.",
        ) from error
