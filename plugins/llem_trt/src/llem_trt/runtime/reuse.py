"""Reused KV blocks of an earlier repetition would make this one look cheaper than it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from llem_trt.runtime.counters import REUSED_BLOCKS

CODE = "prefix-cache-hits"
"""Verdict code of an outcome that an earlier repetition made cheaper."""


class ReuseGuard:
    """Keeps repetitions apart, and notices if they were not.

    Requests reuse only blocks that were made under the same *salt*. Each repetition has a salt of
    its own, so what its prompts share among themselves is reused as asked for, and nothing of an
    earlier repetition is.

    Args:
        prompts: Token ids of every request.
        tokens_per_block: Size of a block.
    """

    def __init__(self, prompts: Sequence[Sequence[int]], tokens_per_block: int) -> None:
        self._shared_blocks = shared_blocks(prompts, tokens_per_block)
        self._repetition = 0
        self._foreign_blocks = 0

    def next_salt(self) -> str:
        """Return the salt of the next repetition."""
        self._repetition += 1
        return f"repetition-{self._repetition}"

    def check(self, counters: Mapping[str, float]) -> None:
        """Count the blocks that no other prompt of the repetition can have made."""
        excess = int(counters.get(REUSED_BLOCKS, 0)) - self._shared_blocks
        self._foreign_blocks += max(0, excess)

    def reasons(self) -> dict[str, str]:
        """Return what speaks against the outcome."""
        if not self._foreign_blocks:
            return {}
        return {
            CODE: f"{self._foreign_blocks} blocks of the KV cache were reused that an earlier "
            "repetition had filled"
        }


def shared_blocks(prompts: Sequence[Sequence[int]], tokens_per_block: int) -> int:
    """Return the most blocks that prompts can reuse of one another.

    In sorted order the prompt that shares the most with those before stands next to it. A block
    that matches in part may be reused as well, so a begun one counts.
    """
    ordered = sorted(map(list, prompts))
    common = (_common(before, after) for before, after in pairwise(ordered))
    return sum(math.ceil(length / tokens_per_block) for length in common)


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(first), len(second)))
