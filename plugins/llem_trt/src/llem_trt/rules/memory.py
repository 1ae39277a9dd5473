"""The KV cache and what depends on it."""

from __future__ import annotations

import math

from llem.api import Experiment, Rule
from llem_trt.config import TrtFields

DEFAULT_TOKENS_PER_BLOCK = 32
"""TensorRT-LLM's default block size."""


def _disk_cache_without_folder(experiment: Experiment, section: TrtFields) -> bool:
    cache = section.kv_cache
    return cache is not None and bool(cache.disk_cache_size) and cache.disk_cache_path is None


def _pools_that_do_not_add_up(experiment: Experiment, section: TrtFields) -> bool:
    cache = section.kv_cache
    return (
        cache is not None
        and cache.pool_ratio is not None
        and not math.isclose(sum(cache.pool_ratio), 1, abs_tol=1e-6)
    )


def _unseen_reuse(experiment: Experiment, section: TrtFields) -> bool:
    unseen = section.sampling is not None and section.sampling.return_perf_metrics is False
    return unseen and (section.kv_cache is None or section.kv_cache.enable_block_reuse is not False)


def _helix_with_other_blocks(experiment: Experiment, section: TrtFields) -> bool:
    context, cache = section.context_parallel, section.kv_cache
    if context is None or context.cp_type != "HELIX" or context.tokens_per_block is None:
        return False
    blocks = cache.tokens_per_block if cache is not None else None
    return context.tokens_per_block != (blocks or DEFAULT_TOKENS_PER_BLOCK)


MEMORY_RULES: tuple[Rule[TrtFields], ...] = (
    Rule(
        name="trt-disk-cache-has-a-folder",
        fields=("trt.kv_cache.disk_cache_size", "trt.kv_cache.disk_cache_path"),
        reason="it has no folder",
        hint="Set trt.kv_cache.disk_cache_path to an existing folder.",
        violated=_disk_cache_without_folder,
    ),
    Rule(
        name="trt-pools-add-up",
        fields=("trt.kv_cache.pool_ratio",),
        reason="the shares do not add up to 1",
        hint="Change the shares.",
        violated=_pools_that_do_not_add_up,
    ),
    Rule(
        name="trt-block-reuse-is-seen",
        fields=("trt.sampling.return_perf_metrics", "trt.kv_cache.enable_block_reuse"),
        reason="without metrics llem cannot tell whether a repetition reused the KV cache of "
        "an earlier one",
        hint="Remove trt.sampling.return_perf_metrics, or set "
        "trt.kv_cache.enable_block_reuse: false.",
        violated=_unseen_reuse,
    ),
    Rule(
        name="trt-helix-shares-the-block-size",
        fields=("trt.context_parallel.tokens_per_block", "trt.kv_cache.tokens_per_block"),
        reason="HELIX needs the block size of the KV cache, which is 32 tokens if unset",
        hint="Set both to the same number.",
        violated=_helix_with_other_blocks,
    ),
)
"""Rules about memory."""
