"""Start workers by forking a process that has imported the engine, where that is safe."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from llem.process.fork_server import MAX_BYTES
from llem.process.worker_process import WorkerProcess, interpreter, log_tail, start_interpreter
from llem.process.workers import AssignedWorker, start_fresh, worker_limits
from llem.registry import Backend
from llem.schema.call_plan import CallPlan
from llem.schema.experiment import RunnerConfig
from llem.schema.outcome import Reason

_ANSWER_S = 60.0
"""A fork takes milliseconds; the limit is for a machine that swaps."""

_POLL_S = 0.01


class ForkRefused(Exception):
    """No worker can be forked; the text says why."""


class ForkParentEnded(ForkRefused):
    """The process to be forked has ended."""


class Prefork:
    """Starts workers by forking; keeps a process to fork for each engine and environment.

    Where forking is unsafe, a worker gets an interpreter of its own, and a remark says why.

    Args:
        log_path: File that receives the output of importing engines.
    """

    def __init__(self, log_path: Path) -> None:
        self._log_path = log_path
        self._parents: dict[str, ForkParent | ForkRefused] = {}

    def start(
        self, backend: Backend, plan: CallPlan, runner: RunnerConfig, log_path: Path
    ) -> AssignedWorker:
        """Start a worker; see :data:`llem.process.workers.StartWorker`.

        Raises:
            WorkerDied: The worker cannot be started in an interpreter of its own either.
        """
        key = json.dumps([backend.module, runner.python, runner.env], sort_keys=True)
        if key not in self._parents:
            self._parents[key] = self._new_parent(backend, plan, runner)
        try:
            parent = self._parents[key]
            if isinstance(parent, ForkRefused):
                raise parent
            python = interpreter(runner.python)
            limits = worker_limits(runner)
            worker = WorkerProcess(
                python=python, env={}, log_path=log_path, fork=parent.fork, **limits
            )
        except ForkRefused as refusal:
            fresh = start_fresh(backend, plan, runner, log_path)
            fresh.remarks = (Reason(code="worker-not-preforked", message=str(refusal)),)
            return fresh
        return AssignedWorker(worker)

    def close(self) -> None:
        """End all processes to be forked, and the workers forked from them."""
        for parent in self._parents.values():
            if isinstance(parent, ForkParent):
                parent.close()
        self._parents.clear()

    def _new_parent(
        self, backend: Backend, plan: CallPlan, runner: RunnerConfig
    ) -> ForkParent | ForkRefused:
        if not sys.platform.startswith("linux"):
            return ForkRefused("processes with an engine in them are forked on Linux only")
        parent = None
        try:
            parent = ForkParent(interpreter(runner.python), runner.env, self._log_path)
            parent.preload(backend.module, plan, runner.timeouts.open_s)
        except ForkRefused as refusal:
            if parent is not None:
                parent.close()
            return refusal
        return parent


class ForkParent:
    """A process that imports an engine, to be forked.

    Args:
        python: Interpreter to start.
        env: Variables set on top of the present environment.
        log_path: File that receives its output.

    Raises:
        ForkRefused: The interpreter cannot be started.
    """

    def __init__(self, python: str, env: Mapping[str, str], log_path: Path) -> None:
        self._log_path = log_path
        self._numbers = count(1)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs, log_path.open("ab") as log:
                self._process = start_interpreter(
                    python, env, "llem.process.fork_server", (theirs.fileno(),), log
                )
        except OSError as error:
            self._socket.close()
            raise ForkRefused(f"cannot start {python}: {error.strerror}") from error

    def preload(self, plugin: str, plan: CallPlan, timeout_s: float) -> None:
        """Import the engine, and the functions of it that ``plan`` calls.

        Raises:
            ForkRefused: An import failed, or made the process unsafe to fork.
        """
        made = {call.assign for call in plan.calls}
        # A method of an object that another call makes cannot be imported.
        targets = [call.target for call in plan.calls if call.target.partition(".")[0] not in made]
        try:
            self._ask({"do": "preload", "plugin": plugin, "targets": targets}, timeout_s=timeout_s)
        except ForkParentEnded:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_ANSWER_S)
            printed = log_tail(self._log_path).splitlines()
            why = printed[-1] if printed else "it exited"
            raise ForkRefused(f"the engine was not imported: {why}") from None

    def fork(self, read_fd: int, write_fd: int, log: BinaryIO) -> ForkedProcess:
        """Fork a worker; see :data:`llem.process.worker_process.Launch`.

        Raises:
            ForkRefused: The process has ended, or has become unsafe to fork.
        """
        answer = self._ask({"do": "fork"}, (read_fd, write_fd, log.fileno()))
        return ForkedProcess(answer["pid"], self)

    def exit_code(self, pid: int) -> int | None:
        """Return the exit code of a forked worker, or ``None`` while it runs."""
        try:
            code: int | None = self._ask({"do": "status", "pid": pid})["code"]
        except ForkRefused:
            # The kernel kills the workers together with the process they were forked from.
            return -signal.SIGKILL
        return code

    def close(self) -> None:
        """End the process; its workers end with it."""
        self._socket.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _ask(
        self, message: dict[str, Any], fds: tuple[int, ...] = (), timeout_s: float = _ANSWER_S
    ) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.settimeout(timeout_s)
        try:
            socket.send_fds(self._socket, [json.dumps({"id": number, **message}).encode()], fds)
            # The answer to an interrupted question is still in the socket.
            while (answer := self._received()) and answer["id"] != number:
                continue
        except TimeoutError:
            raise ForkRefused(f"no answer within {timeout_s:g} s") from None
        except OSError:
            answer = {}
        if not answer:
            raise ForkParentEnded("the process that had the engine imported has ended")
        if answer.get("refusal"):
            raise ForkRefused(answer["refusal"])
        return answer

    def _received(self) -> dict[str, Any]:
        """Return the next answer; empty once the process has ended."""
        data = self._socket.recv(MAX_BYTES)
        answer: dict[str, Any] = json.loads(data) if data else {}
        return answer


class ForkedProcess:
    """A forked worker, as a :class:`llem.process.worker_process.Process`.

    Args:
        pid: Its process id.
        parent: The process it was forked from; only a parent learns how a process ended.
    """

    def __init__(self, pid: int, parent: ForkParent) -> None:
        self.pid = pid
        self._parent = parent
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, or the negative number of its signal; ``None`` while it runs."""
        if self._code is None:
            self._code = self._parent.exit_code(self.pid)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return the same.

        Raises:
            subprocess.TimeoutExpired: It still runs after ``timeout`` seconds.
        """
        deadline_s = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() >= deadline_s:
                raise subprocess.TimeoutExpired(f"forked worker {self.pid}", timeout or 0.0)
            time.sleep(_POLL_S)
        return code
