"""Engine counters of one repetition, from vLLM's own metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

NAMES = {
    "vllm:prompt_tokens": "engine_prompt_tokens",
    "vllm:generation_tokens": "engine_output_tokens",
    "vllm:iteration_tokens_total": "engine_steps",
    "vllm:num_preemptions": "preemptions",
    "vllm:prefix_cache_queries": "prefix_cache_queried_tokens",
    "vllm:prefix_cache_hits": "prefix_cache_hit_tokens",
    "vllm:spec_decode_num_drafts": "speculation_drafts",
    "vllm:spec_decode_num_draft_tokens": "speculation_drafted_tokens",
    "vllm:spec_decode_num_accepted_tokens": "speculation_accepted_tokens",
}
"""Metrics that are kept, and what they are called in an outcome."""


def totals(metrics: Iterable[Any]) -> dict[str, float]:
    """Return what the ``metrics`` of ``LLM.get_metrics()`` have counted so far.

    Metrics of several engines add up; a histogram counts how often something was observed.
    """
    found: defaultdict[str, float] = defaultdict(float)
    for metric in metrics:
        if metric.name in NAMES:
            value = metric.value if hasattr(metric, "value") else metric.count
            found[NAMES[metric.name]] += value
    return dict(found)


def since(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Return what was counted between two readings."""
    return {name: value - before.get(name, 0.0) for name, value in now.items()}
