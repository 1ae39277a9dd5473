"""Run a command as if it had been typed without llem in front of it."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from llem.api.errors import CommandNotFound, CommandRefused

FORWARDED = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)
"""Signals that are meant for the command when llem gets them."""


@dataclass(frozen=True, slots=True)
class ChildRun:
    """A command that has ended.

    Attributes:
        started_s: Monotonic time just before it was started.
        finished_s: Monotonic time just after it had ended.
        cpu_s: Processor time of this process between the two.
        exit_code: Its exit code, or 128 and the number of the signal that ended it.
    """

    started_s: float
    finished_s: float
    cpu_s: float
    exit_code: int


def require_command(name: str) -> None:
    """Refuse a command that cannot be started, before anybody waits for it.

    Raises:
        CommandNotFound: There is no such program.
    """
    if shutil.which(name) is None and not os.path.lexists(name):
        raise CommandNotFound(
            f"there is no command {name!r}",
            hint="A shell's own commands and pipes need the shell: llem meter -- sh -c '…'.",
        )


def run_child(command: Sequence[str]) -> ChildRun:
    """Run ``command`` to its end, with this process's streams and environment.

    Signals that this process gets are passed on, but those that a terminal sends to both are
    not: the command has them already.

    Raises:
        CommandNotFound: There is no such program.
        CommandRefused: It cannot be executed.
    """
    with _signals_kept() as kept:
        cpu_s, started_s = time.process_time(), time.monotonic()
        try:
            process = subprocess.Popen(command)
        except OSError as error:
            raise _refusal(command[0], error) from None
        kept.give_to(process)
        returncode = process.wait()
        finished_s, cpu_s = time.monotonic(), time.process_time() - cpu_s
    exit_code = returncode if returncode >= 0 else 128 - returncode
    return ChildRun(started_s, finished_s, cpu_s, exit_code)


def _refusal(name: str, error: OSError) -> CommandRefused:
    if error.errno == errno.ENOENT:
        return CommandNotFound(f"there is no command {name!r}")
    return CommandRefused(f"{name!r} cannot be executed: {error.strerror}")


class _Mailbox:
    """Passes signals on to a process, and keeps them until there is one."""

    def __init__(self) -> None:
        self._waiting: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    def put(self, signum: int, frame: FrameType | None) -> None:
        if signum in (signal.SIGINT, signal.SIGQUIT) and _is_in_foreground():
            return
        if self._process is None:
            self._waiting.append(signum)
        else:
            self._process.send_signal(signum)

    def give_to(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for signum in self._waiting:
            process.send_signal(signum)


@contextmanager
def _signals_kept() -> Iterator[_Mailbox]:
    mailbox = _Mailbox()
    before = {signum: signal.signal(signum, mailbox.put) for signum in FORWARDED}
    try:
        yield mailbox
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _is_in_foreground() -> bool:
    """Return whether a terminal sends its signals to this process and the command alike."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
