"""Count KV cache blocks, and check that no repetition reused those of an earlier one.

A repetition that finds its prompts cached by an earlier one spends less energy than its work costs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

CODE = "prefix-cache-hits"
"""Reason code of an outcome whose repetitions reused cached prompts of earlier ones."""

REUSED_BLOCKS = "kv_cache_reused_blocks"
"""Counter of blocks that were in the cache already."""


def counters_of(outputs: Sequence[Any]) -> dict[str, float]:
    """Return the engine's counters, summed over all requests; empty where it did not count."""
    metrics = [output.outputs[0].request_perf_metrics for output in outputs]
    if not metrics or any(metric is None for metric in metrics):
        return {}
    caches = [metric.kv_cache_metrics for metric in metrics]
    drafts = [metric.speculative_decoding for metric in metrics]
    found: dict[str, float] = {
        "kv_cache_allocated_blocks": sum(cache.num_total_allocated_blocks for cache in caches),
        "kv_cache_missed_blocks": sum(cache.num_missed_blocks for cache in caches),
        REUSED_BLOCKS: sum(cache.num_reused_blocks for cache in caches),
    }
    if drafted := sum(draft.total_draft_tokens for draft in drafts):
        found["speculation_drafted_tokens"] = drafted
        found["speculation_accepted_tokens"] = sum(
            draft.total_accepted_draft_tokens for draft in drafts
        )
    return found


class BlockReuseCheck:
    """Gives each repetition its own cache salt, and counts reuse across repetitions.

    Requests reuse only blocks made under the same *salt*. A repetition therefore reuses blocks
    that its own prompts share, and none of an earlier repetition.

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
        """Count reused blocks that no other prompt of the repetition can have made."""
        excess = int(counters.get(REUSED_BLOCKS, 0)) - self._shared_blocks
        self._foreign_blocks += max(0, excess)

    def reasons(self) -> dict[str, str]:
        """Return the reasons against the outcome, by code."""
        if not self._foreign_blocks:
            return {}
        return {
            CODE: f"{self._foreign_blocks} reused blocks of the KV cache came from an earlier "
            "repetition"
        }


def shared_blocks(prompts: Sequence[Sequence[int]], tokens_per_block: int) -> int:
    """Return the greatest number of blocks that prompts can reuse from one another.

    In sorted order, the earlier prompt that shares the most is the one before. A block that
    matches in part may be reused too, so a partly filled block counts.
    """
    ordered = sorted(map(list, prompts))
    common = (_common_tokens(before, after) for before, after in pairwise(ordered))
    return sum(math.ceil(length / tokens_per_block) for length in common)


def _common_tokens(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(first), len(second)))
