"""No process of vLLM outlives the session that started it.

vLLM's engine waits for ever when the process that started it is killed. A process that is started
anew ties itself when vLLM calls :func:`hold` (entry point ``vllm.general_plugins``); a forked one
does so as it is forked, because vLLM does not call its plugins again there. Outside llem's worker
nothing happens.
"""

from __future__ import annotations

import os

import psutil

from llem.api.child_processes import exit_with_parent

VARIABLE = "LLEM_VLLM_SESSION"
"""Environment variable with the process id of the session, for the processes below it."""


def announce() -> None:
    """Let the processes that vLLM is about to start know whom they work for."""
    if VARIABLE not in os.environ:
        os.register_at_fork(after_in_child=hold)
    os.environ[VARIABLE] = str(os.getpid())


def hold() -> None:
    """End this process when its parent ends."""
    session = os.environ.get(VARIABLE)
    if session is None or int(session) == os.getpid():
        return
    exit_with_parent(os.getppid())
    if not lives(int(session)):
        os._exit(1)


def lives(pid: int) -> bool:
    """Return whether a process runs; one that ended and was not reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
