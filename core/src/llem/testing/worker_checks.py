"""Checks of the worker process: it starts, and its end leaves no process behind."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from llem.config.load import LoadedExperiment
from llem.process.workers import start_worker
from llem.schema.call_plan import CallPlan
from llem.testing.check_definition import Fault, check
from llem.testing.plugin_under_test import PluginUnderTest
from llem.testing.prerequisites import Requires
from llem.testing.session_trace import SessionRecorder

_MARK = "LLEM_CHECK_MARK"
"""Environment variable that marks the processes of the worker."""

PATIENCE_S = 10.0
"""Time that a process has to end after its parent."""


def orphans(loaded: LoadedExperiment, plan: CallPlan) -> list[str]:
    """Return the commands of processes that outlive a worker killed with its model loaded.

    Args:
        loaded: The experiment.
        plan: The plan that the session is given.
    """
    mark = uuid.uuid4().hex
    runner = loaded.experiment.runner
    marked = runner.model_copy(update={"env": {**runner.env, _MARK: mark}})
    with TemporaryDirectory(prefix="llem-check-") as folder:
        with start_worker(marked, Path(folder, "worker.log")) as worker:
            recorder = SessionRecorder(loaded, plan, worker)
            if recorder.start() and recorder.open():
                worker.remember_children()
                # As the kernel does when memory runs out: no process can clean up.
                os.kill(recorder.trace.worker, signal.SIGKILL)
        deadline_s = time.monotonic() + PATIENCE_S
        while (left := list(_marked(mark))) and time.monotonic() < deadline_s:
            time.sleep(0.1)
    commands = [_command(process) for process in left]
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    return commands


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and process.environ().get(_MARK) == mark:
                yield process


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return f"process {process.pid}"


@check(Requires.SESSION)
def check_worker_starts(subject: PluginUnderTest) -> Iterator[Fault]:
    """A worker of this llem starts, and imports the plugin's light module."""
    if (error := subject.trace.failures.get("start")) is not None:
        yield Fault(f"a worker cannot start with it: {error.message}", error.hint)


@check(Requires.RUNNING)
def check_worker_killed(subject: PluginUnderTest) -> Iterator[Fault]:
    """A killed worker ends with every process that the engine started."""
    for command in orphans(subject.loaded(), subject.session_plan):
        yield Fault(
            f"this outlives a killed worker: {command}",
            hint="Let each process end with its parent: llem.api.child_processes.exit_with_parent.",
        )
