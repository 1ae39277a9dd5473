"""The processes that vLLM starts: they end with the session, and the session notices their end.

vLLM's engine process waits forever when the process that started it is killed, and vLLM 0.32 waits
forever for an engine process that has died. Both are repaired here. vLLM calls
:func:`exit_with_session` and :func:`silence_cache_resets` in each process it starts (entry points
``vllm.general_plugins``), but not in a process it forks, so a fork hook calls the first one there.
Outside llem's worker neither does anything.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import psutil

from llem.api.child_processes import exit_with_parent

SESSION_VARIABLE = "LLEM_VLLM_SESSION"
"""Environment variable that carries the session's process id to the processes below it."""

CACHE_LOGGER = "vllm.v1.core.block_pool"
"""Logger that reports each emptied prefix cache as information, and each refusal as a warning."""


class EngineProcessDied(RuntimeError):
    """A process of the engine ended while it had work to do."""


def register_session() -> None:
    """Make this process the session that vLLM's processes, started from now on, end with."""
    if SESSION_VARIABLE not in os.environ:
        os.register_at_fork(after_in_child=exit_with_session)
    os.environ[SESSION_VARIABLE] = str(os.getpid())


def exit_with_session() -> None:
    """End this process when its parent ends, or now if the session has ended already."""
    session = os.environ.get(SESSION_VARIABLE)
    if session is None or int(session) == os.getpid():
        return
    exit_with_parent(os.getppid())
    if not is_alive(int(session)):
        os._exit(1)


def silence_cache_resets() -> None:
    """Drop the log line that llem's own cache reset would cause before every repetition."""
    if SESSION_VARIABLE in os.environ:
        logging.getLogger(CACHE_LOGGER).setLevel(logging.WARNING)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def engine_processes(llm: Any) -> Sequence[Any]:
    """Return the processes that an ``LLM`` started; none where the engine runs in this process."""
    resources = getattr(llm.llm_engine.engine_core, "resources", None)
    manager = getattr(resources, "engine_manager", None)
    return list(getattr(manager, "processes", ()))


@contextmanager
def watching(processes: Sequence[Any]) -> Iterator[None]:
    """Raise in the main thread as soon as a process of ``processes`` dies; call it there.

    The kernel signals the death of a child, so watching costs nothing while none dies.

    Raises:
        EngineProcessDied: A process has died.
    """

    def raise_if_dead(number: int = signal.SIGCHLD, frame: FrameType | None = None) -> None:
        for process in processes:
            # `process.is_alive` answers yes while a thread of vLLM is reaping the process.
            if not is_alive(process.pid):
                raise EngineProcessDied(
                    f"the engine's process {process.name} ended with exit code {process.exitcode}"
                )

    previous = signal.signal(signal.SIGCHLD, raise_if_dead)
    try:
        raise_if_dead()  # a death before this moment sends no signal any more
        yield
    finally:
        signal.signal(signal.SIGCHLD, previous)
