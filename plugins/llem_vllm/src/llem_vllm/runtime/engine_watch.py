"""Notice at once that a process of the engine has died.

vLLM 0.32 shuts its client down then and forgets the caller, who waits for an answer for ever. The
kernel tells a parent of the death of a child, which costs nothing while none dies.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from llem_vllm.runtime.lifeline import lives


class EngineProcessDied(RuntimeError):
    """A process of the engine ended while it had work to do."""


def processes(llm: Any) -> Sequence[Any]:
    """Return the processes that an ``LLM`` started; none where the engine runs in this one."""
    resources = getattr(llm.llm_engine.engine_core, "resources", None)
    manager = getattr(resources, "engine_manager", None)
    return list(getattr(manager, "processes", ()))


@contextmanager
def watching(engine: Sequence[Any]) -> Iterator[None]:
    """Raise in the main thread, which this must be, as soon as a process of ``engine`` is dead.

    Raises:
        EngineProcessDied: One has died.
    """

    def look(number: int = signal.SIGCHLD, frame: FrameType | None = None) -> None:
        for process in engine:
            # Not `is_alive`, which says yes while a thread of vLLM is about to note the death.
            if not lives(process.pid):
                raise EngineProcessDied(
                    f"the engine's process {process.name} ended with exit code {process.exitcode}"
                )

    before = signal.signal(signal.SIGCHLD, look)
    try:
        look()  # nobody is told of a death before this moment
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)
