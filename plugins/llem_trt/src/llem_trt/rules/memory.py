"""The KV cache and what depends on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule

if TYPE_CHECKING:
    from llem_trt.config.trt import TrtConfig

DEFAULT_TOKENS_PER_BLOCK = 32
"""TensorRT-LLM's own block size where none is given."""


def _disk_cache_without_folder(experiment: Experiment, section: TrtConfig) -> bool:
    cache = section.kv_cache
    return cache is not None and bool(cache.disk_cache_size) and cache.disk_cache_path is None


def _pools_that_do_not_add_up(experiment: Experiment, section: TrtConfig) -> bool:
    cache = section.kv_cache
    return (
        cache is not None
        and cache.pool_ratio is not None
        and not math.isclose(sum(cache.pool_ratio), 1, abs_tol=1e-6)
    )


def _reuse_that_nobody_sees(experiment: Experiment, section: TrtConfig) -> bool:
    unseen = section.sampling is not None and section.sampling.return_perf_metrics is False
    return unseen and (section.kv_cache is None or section.kv_cache.enable_block_reuse is not False)


def _helix_with_other_blocks(experiment: Experiment, section: TrtConfig) -> bool:
    context, cache = section.context_parallel, section.kv_cache
    if context is None or context.cp_type != "HELIX" or context.tokens_per_block is None:
        return False
    blocks = cache.tokens_per_block if cache is not None else None
    return context.tokens_per_block != (blocks or DEFAULT_TOKENS_PER_BLOCK)


MEMORY_RULES = (
    Rule(
        name="trt-disk-cache-has-a-folder",
        fields=("trt.kv_cache.disk_cache_size", "trt.kv_cache.disk_cache_path"),
        reason="there is no folder for it",
        hint="Set trt.kv_cache.disk_cache_path to an existing folder.",
        violated=_disk_cache_without_folder,
    ),
    Rule(
        name="trt-pools-add-up",
        fields=("trt.kv_cache.pool_ratio",),
        reason="the shares do not add up to 1",
        hint="Change them so that they do.",
        violated=_pools_that_do_not_add_up,
    ),
    Rule(
        name="trt-block-reuse-is-seen",
        fields=("trt.sampling.return_perf_metrics", "trt.kv_cache.enable_block_reuse"),
        reason="without metrics llem cannot tell whether a repetition reused the KV cache of "
        "an earlier one",
        hint="Remove trt.sampling.return_perf_metrics, or set "
        "trt.kv_cache.enable_block_reuse: false.",
        violated=_reuse_that_nobody_sees,
    ),
    Rule(
        name="trt-helix-shares-the-block-size",
        fields=("trt.context_parallel.tokens_per_block", "trt.kv_cache.tokens_per_block"),
        reason="HELIX needs the KV cache's own block size, which is 32 tokens if not set",
        hint="Set both to the same number.",
        violated=_helix_with_other_blocks,
    ),
)
"""Rules about memory."""
