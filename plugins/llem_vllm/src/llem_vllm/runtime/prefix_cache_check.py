"""Keep repetitions apart in the prefix cache, and check that they were.

A repetition that finds its prompts cached by an earlier one spends less energy than its work costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from llem.errors import counted

CODE = "prefix-cache-hits"
"""Reason code of an outcome whose repetitions reused cached prompts of earlier ones."""

_ATTEMPTS = 20
_PAUSE_S = 0.05


class PrefixCacheCheck:
    """Empties the prefix cache before a repetition, and counts hits that it should not have had.

    Args:
        prompts: The token ids of every request.
        pause: Waits some seconds between two attempts to empty the cache.
    """

    def __init__(
        self, prompts: Sequence[Sequence[int]], pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._pause = pause
        self._shared = shared_prefix_tokens(prompts)
        self._foreign_tokens = 0
        self._failed_resets = 0

    def reset(self, llm: Any) -> None:
        """Empty the prefix cache of an ``LLM``, including blocks moved to host memory.

        vLLM refuses while a block is in use. When it schedules ahead, it releases the last blocks
        of a request one step after the request's end.
        """
        for _ in range(_ATTEMPTS):
            if llm.reset_prefix_cache(reset_connector=True):
                return
            self._pause(_PAUSE_S)
        self._failed_resets += 1

    def check(self, outputs: Sequence[Any]) -> None:
        """Count cached prompt tokens that no other prompt of the workload begins with.

        A preempted request finds its own earlier blocks again, which are its own work.
        """
        for output, shared in zip(outputs, self._shared, strict=True):
            if not output.metrics.num_preemptions:
                self._foreign_tokens += max(0, (output.num_cached_tokens or 0) - shared)

    def reasons(self) -> dict[str, str]:
        """Return the reasons against the outcome, by code."""
        found = []
        if self._foreign_tokens:
            found.append(
                f"{counted(self._foreign_tokens, 'prompt token')} came from the prefix cache, "
                "where an earlier repetition had left them"
            )
        if self._failed_resets:
            often = counted(self._failed_resets, "time")
            found.append(f"vLLM did not empty the prefix cache {often}")
        return {CODE: "; ".join(found)} if found else {}


def shared_prefix_tokens(prompts: Sequence[Sequence[int]]) -> list[int]:
    """Return for each prompt the number of its first tokens that another prompt begins with too.

    In sorted order, the prompt that shares the most is a neighbor.
    """
    order = sorted(range(len(prompts)), key=lambda index: list(prompts[index]))
    shared = [0] * len(prompts)
    for before, after in pairwise(order):
        length = _common_tokens(prompts[before], prompts[after])
        shared[before] = max(shared[before], length)
        shared[after] = max(shared[after], length)
    return shared


def _common_tokens(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(first), len(second)))
