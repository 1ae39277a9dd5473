"""The host's end of a worker process: start it, call it with time limits, end it entirely."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import psutil

from llem.errors import (
    EngineError,
    OutOfMemory,
    PluginIncompatible,
    WorkerDied,
    WorkerLogFlood,
    WorkerProtocolError,
    WorkerTimeout,
)
from llem.process import protocol
from llem.process.protocol import PROTOCOL_VERSION, Hello

TAIL_BYTES = 8192
TAIL_LINES = 40


def log_tail(path: Path) -> str:
    """Return at most :data:`TAIL_LINES` lines from the end of ``path``; empty without a file."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])


_TICK_S = 0.5
_CHUNK_BYTES = 1 << 20


class WorkerProcess:
    """A running worker; as a context manager, it is killed at the end with all its children.

    Args:
        python: Interpreter to start.
        env: Variables set on top of the present environment.
        log_path: File that receives the output of the engine.
        max_log_bytes: Greatest size of that output.
        experiment_s: Longest life of the worker.
        silence_s: Longest time without an answer and without output.

    Raises:
        WorkerDied: The interpreter cannot be started.
    """

    def __init__(
        self,
        *,
        python: str,
        env: Mapping[str, str],
        log_path: Path,
        max_log_bytes: int,
        experiment_s: float | None = None,
        silence_s: float | None = None,
    ) -> None:
        self.python = python
        self.log_path = log_path
        self.max_log_bytes = max_log_bytes
        self.experiment_s = experiment_s
        self.silence_s = silence_s
        self._started_s = time.monotonic()
        self._log_offset_bytes = 0
        self.waiting_cpu_s = 0.0
        """Host CPU time between the last call and the first byte of its answer."""
        self._next_id = protocol.HELLO_ID
        self._buffer = bytearray()
        self._children: dict[int, psutil.Process] = {}
        read_end, self._write_fd = os.pipe()
        self._read_fd, write_end = os.pipe()
        try:
            with log_path.open("ab") as log:
                self._process = _start(python, env, (read_end, write_end), log)
        except OSError as error:
            self._close_pipes()
            raise WorkerDied(
                f"cannot start {python}: {error.strerror}", hint="Check runner.python."
            ) from error
        finally:
            os.close(read_end)
            os.close(write_end)
        os.set_blocking(self._write_fd, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    def hello(self, timeout_s: float) -> Hello:
        """Wait for the worker's first message.

        Raises:
            PluginIncompatible: Its llem has another protocol version.
            WorkerDied, WorkerTimeout, WorkerProtocolError: See :meth:`call`.
        """
        hello = self._answer("start", timeout_s)
        spoken = hello.get("protocol")
        if spoken != PROTOCOL_VERSION:
            raise PluginIncompatible(
                f"{self.python} has llem-core {hello.get('llem')}, whose worker speaks protocol "
                f"{spoken}; this one speaks {PROTOCOL_VERSION}",
                hint="Install the same version of llem-core in both environments.",
            )
        return Hello(**hello)

    def call(self, method: str, timeout_s: float, **params: Any) -> Any:
        """Call ``method`` of the worker and return the result.

        Raises:
            EngineError, OutOfMemory: The worker's code raised.
            WorkerDied: The worker ended without an answer.
            WorkerTimeout: There was no answer within ``timeout_s``.
            WorkerLogFlood: The output exceeded the limit.
            WorkerProtocolError: The answer does not follow the protocol.
        """
        self._next_id += 1
        self._send(protocol.request(self._next_id, method, params), method, timeout_s)
        return self._answer(method, timeout_s)

    def processes(self) -> set[int]:
        """Return the ids of the worker and of all processes it has started."""
        self.remember_children()
        return {self._process.pid, *self._children}

    def restart_limits(
        self, *, max_log_bytes: int, experiment_s: float | None, silence_s: float | None
    ) -> None:
        """Apply the limits of another experiment, counted from now."""
        self.max_log_bytes, self.experiment_s, self.silence_s = (
            max_log_bytes,
            experiment_s,
            silence_s,
        )
        self._log_offset_bytes = _size_bytes(self.log_path)
        self._started_s = time.monotonic()

    def kill(self) -> None:
        """End the worker and all processes it started; harmless when it has ended.

        Raises:
            KeyboardInterrupt: Ctrl-C came meanwhile; the processes have ended all the same.
        """
        try:
            self._end()
        except KeyboardInterrupt:
            self.kill()
            raise

    def _end(self) -> None:
        self.remember_children()
        for process in self._children.values():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close_pipes()

    def remember_children(self) -> None:
        """Remember all descendants, so that those in process groups of their own are killed too.

        A dead worker has no descendants to ask for, so this must happen while it lives.
        """
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children(recursive=True):
                self._children[child.pid] = child

    def _send(self, line: bytes, method: str, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        rest = memoryview(line)
        while rest:
            self._wait(self._write_fd, select.POLLOUT, method, deadline_s, timeout_s)
            try:
                rest = rest[os.write(self._write_fd, rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._death(method) from None

    def _answer(self, method: str, timeout_s: float) -> Any:
        cpu_before_s = time.process_time()
        deadline_s = time.monotonic() + timeout_s
        first = True
        while (end := self._buffer.find(b"\n")) < 0:
            self._wait(self._read_fd, select.POLLIN, method, deadline_s, timeout_s)
            if first:
                self.waiting_cpu_s = time.process_time() - cpu_before_s
                first = False
            chunk = os.read(self._read_fd, _CHUNK_BYTES)
            if not chunk:
                raise self._death(method)
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        try:
            message = protocol.parse(line)
        except ValueError:
            raise WorkerProtocolError(
                f"the worker answered {method!r} with something that is not the protocol"
            ) from None
        if message["id"] != self._next_id:
            raise WorkerProtocolError(f"the worker answered call {message['id']}, not {method!r}")
        if "error" in message:
            raise _engine_error(protocol.ErrorReport(**message["error"]))
        return message["result"]

    def _wait(self, fd: int, event: int, method: str, deadline_s: float, timeout_s: float) -> None:
        """Wait until ``fd`` is ready, while watching the clock, the log and the process."""
        poller = select.poll()
        poller.register(fd, event)
        silence = _SilenceWatch(self.log_path, self.silence_s)
        while True:
            left_s = min(deadline_s, self._deadline_s) - time.monotonic()
            if poller.poll(1000 * min(max(left_s, 0.0), _TICK_S)):
                return
            if left_s <= 0:
                raise self._timeout(method, timeout_s)
            if silence.is_over(_size_bytes(self.log_path)):
                raise WorkerTimeout(
                    f"the worker neither answered nor printed anything for {self.silence_s:g} s "
                    f"during {method!r}",
                    hint="Raise runner.timeouts.silence_s if it only needs longer.",
                )
            if silence.log_bytes - self._log_offset_bytes > self.max_log_bytes:
                raise WorkerLogFlood(
                    f"the worker printed more than {self.max_log_bytes} bytes during {method!r}",
                    hint="Raise runner.max_log_bytes if that output is wanted.",
                )
            # A child that inherited the pipe keeps it open after the worker's death.
            if self._process.poll() is not None and not poller.poll(0):
                raise self._death(method)

    @property
    def _deadline_s(self) -> float:
        """When the worker's life must end, on the monotonic clock."""
        return float("inf") if self.experiment_s is None else self._started_s + self.experiment_s

    def _timeout(self, method: str, timeout_s: float) -> WorkerTimeout:
        if time.monotonic() >= self._deadline_s:
            return WorkerTimeout(
                f"the experiment was not over within {self.experiment_s:g} s, but in {method!r}",
                hint="Raise runner.timeouts.experiment_s if it only needs longer.",
            )
        return WorkerTimeout(
            f"the worker did not answer {method!r} within {timeout_s:g} s",
            hint=f"Raise runner.timeouts.{method}_s if it only needs longer.",
        )

    def _death(self, method: str) -> WorkerDied:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return WorkerDied(f"the worker closed its pipe during {method!r}")
        if code >= 0:
            return WorkerDied(f"the worker exited with code {code} during {method!r}")
        name = signal.Signals(-code).name
        hint = "The kernel ends processes so when memory runs out." if name == "SIGKILL" else ""
        return WorkerDied(f"the worker was ended by {name} during {method!r}", hint=hint)

    def _close_pipes(self) -> None:
        for name in ("_read_fd", "_write_fd"):
            fd = getattr(self, name)
            if fd >= 0:
                os.close(fd)
                setattr(self, name, -1)


class _SilenceWatch:
    """Notices that a log has stopped growing.

    Args:
        log_path: The log.
        limit_s: Longest time without growth; ``None`` for no limit.
    """

    def __init__(self, log_path: Path, limit_s: float | None) -> None:
        self.log_bytes = _size_bytes(log_path)
        self._limit_s = limit_s
        self._since_s = time.monotonic()

    def is_over(self, log_bytes: int) -> bool:
        """Return whether the log, now of this size, has not grown for longer than the limit."""
        if log_bytes != self.log_bytes:
            self.log_bytes, self._since_s = log_bytes, time.monotonic()
        silent_s = time.monotonic() - self._since_s
        return self._limit_s is not None and silent_s > self._limit_s


def _size_bytes(path: Path) -> int:
    """Return a file's size; 0 if it was removed, which does not end a measurement."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _start(
    python: str, env: Mapping[str, str], fds: tuple[int, int], log: BinaryIO
) -> subprocess.Popen[bytes]:
    """Start a worker in a new session; it gets its pipes, and ends with this process."""
    return subprocess.Popen(
        # ``-P``: a file named like an engine in the current folder must not shadow it.
        [python, "-P", "-m", "llem.process.worker", *map(str, fds), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        pass_fds=fds,
        env={**os.environ, **env},
        start_new_session=True,
    )


def interpreter(python: str | None) -> str:
    """Return the interpreter to start: ``python`` if given, else this one."""
    return str(Path(python).expanduser()) if python else sys.executable


def _engine_error(report: protocol.ErrorReport) -> EngineError | OutOfMemory:
    message = f"{report.error_type}: {report.message}"
    if report.out_of_memory:
        return OutOfMemory(message, hint="Use a smaller model, batch or length.")
    return EngineError(message, error_type=report.error_type, traceback=report.traceback)
