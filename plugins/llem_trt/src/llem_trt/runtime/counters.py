"""What the engine counted for the requests of one repetition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

REUSED_BLOCKS = "kv_cache_reused_blocks"
"""Counter of the blocks that were there already."""


def counted(outputs: Sequence[Any]) -> dict[str, float]:
    """Return the sums over all requests; nothing where the engine was not asked to count."""
    metrics = [output.outputs[0].request_perf_metrics for output in outputs]
    if not metrics or any(one is None for one in metrics):
        return {}
    caches = [one.kv_cache_metrics for one in metrics]
    drafts = [one.speculative_decoding for one in metrics]
    found: dict[str, float] = {
        "kv_cache_allocated_blocks": sum(one.num_total_allocated_blocks for one in caches),
        "kv_cache_missed_blocks": sum(one.num_missed_blocks for one in caches),
        REUSED_BLOCKS: sum(one.num_reused_blocks for one in caches),
    }
    if drafted := sum(one.total_draft_tokens for one in drafts):
        found["speculation_drafted_tokens"] = drafted
        found["speculation_accepted_tokens"] = sum(
            one.total_accepted_draft_tokens for one in drafts
        )
    return found
