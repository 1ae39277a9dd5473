"""Cached prompts of an earlier repetition would make this one look cheaper than it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from llem_vllm.prefixes import shared_prefix_tokens

CODE = "prefix-cache-hits"
"""Verdict code of an outcome that an earlier repetition made cheaper."""


_ATTEMPTS = 20
_PAUSE_S = 0.05


class PrefixGuard:
    """Empties the prefix cache, and notices what it holds nevertheless.

    Args:
        prompts: The token ids of every request.
        pause: Lets some time pass between two attempts.
    """

    def __init__(
        self, prompts: Sequence[Sequence[int]], pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._pause = pause
        self._shared = shared_prefix_tokens(prompts)
        self._foreign_tokens = 0
        self._failed_resets = 0

    def reset(self, llm: Any) -> None:
        """Empty the prefix cache of an ``LLM``, blocks moved to host memory included.

        vLLM refuses while a block is in use, and gives the last ones of a request back a step
        after its end when it schedules ahead.
        """
        for _ in range(_ATTEMPTS):
            if llm.reset_prefix_cache(reset_connector=True):
                return
            self._pause(_PAUSE_S)
        self._failed_resets += 1

    def check(self, outputs: Sequence[Any]) -> None:
        """Count the cached tokens that no other prompt of the workload begins with.

        A request that was preempted finds its own earlier blocks again, which is its own work.
        """
        for output, shared in zip(outputs, self._shared, strict=True):
            if not output.metrics.num_preemptions:
                self._foreign_tokens += max(0, (output.num_cached_tokens or 0) - shared)

    def reasons(self) -> dict[str, str]:
        """Return what speaks against the outcome."""
        found = []
        if self._foreign_tokens:
            found.append(
                f"{self._foreign_tokens} prompt tokens came out of the prefix cache that an "
                "earlier repetition had filled"
            )
        if self._failed_resets:
            found.append(f"vLLM did not empty the prefix cache {self._failed_resets} times")
        return {CODE: "; ".join(found)} if found else {}
