"""No process of vLLM outlives the session that started it.

vLLM calls :func:`hold` first in each of its processes (entry point ``vllm.general_plugins``).
Outside llem's worker it does nothing.
"""

from __future__ import annotations

import os

import psutil

from llem.api.lifeline import die_with_parent

VARIABLE = "LLEM_VLLM_SESSION"
"""Environment variable with the process id of the session, for the processes below it."""


def announce() -> None:
    """Let the processes that vLLM is about to start know whom they work for."""
    os.environ[VARIABLE] = str(os.getpid())


def hold() -> None:
    """End this process when its parent ends; the engine's core would wait for ever."""
    session = os.environ.get(VARIABLE)
    if session is None or int(session) == os.getpid():
        return
    die_with_parent(os.getppid())
    if not psutil.pid_exists(int(session)):
        os._exit(1)
