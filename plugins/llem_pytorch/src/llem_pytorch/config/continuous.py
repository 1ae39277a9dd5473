"""Settings of continuous batching."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from llem.api import Param, Section


def _param(unit: str = "", **markers: Any) -> Param:
    return Param(unit=unit, example_context={"pytorch.batching": "continuous"}, **markers)


class ContinuousBatching(
    Section,
    feeds="generate.continuous_batching_config",
    builds="transformers.ContinuousBatchingConfig",
):
    """What `transformers.ContinuousBatchingConfig` is made of; unset leaves it to the library."""

    page_size: Annotated[
        int | None, Field(ge=4, le=65_536), _param("tokens", neutral=(256,), examples=(16, 256))
    ] = None
    """Tokens of one page of the key-value cache, per layer."""

    num_blocks: Annotated[int | None, Field(ge=1), _param("blocks", examples=(64,))] = None
    """Blocks of the cache; unset sizes it by free memory and workload."""

    max_batch_tokens: Annotated[int | None, Field(ge=1), _param("tokens", examples=(512,))] = None
    """Tokens computed in one step at most, prompts and outputs together."""

    max_memory_percent: Annotated[
        float | None, Field(gt=0, le=1), _param("ratio", examples=(0.5,))
    ] = None
    """Share of free memory that the cache may take; despite the name, 1 is all of it."""

    max_requests_per_batch: Annotated[
        int | None, Field(ge=1), _param("requests", examples=(16,))
    ] = None
    """Requests computed in one step at most."""

    max_blocks_per_request: Annotated[
        int | None, Field(ge=0), _param("blocks", examples=(0, 32))
    ] = None
    """Width of the block table of flash attention's fast decode path; 0 turns that path off."""

    allow_block_sharing: Annotated[bool | None, _param(neutral=(True,), examples=(True, False))] = (
        None
    )
    """Whether requests with a common prefix share its cache blocks."""

    use_async_batching: Annotated[bool | None, _param(examples=(True, False))] = None
    """Whether the next batch is prepared while the device computes, at the cost of memory."""

    use_cuda_graph: Annotated[bool | None, _param(examples=(True, False))] = None
    """Whether steps are captured as CUDA graphs."""

    q_padding_interval_size: Annotated[
        int | None, Field(ge=0), _param("tokens", neutral=(0,), examples=(64,))
    ] = None
    """Step to which queries are padded, so that fewer CUDA graphs serve; 0 is the library's own."""

    kv_padding_interval_size: Annotated[
        int | None, Field(ge=0), _param("tokens", neutral=(0,), examples=(4096,))
    ] = None
    """Step to which keys and values are padded; 0 is the library's own."""

    default_compile_level: Annotated[
        int | None, Field(ge=0, le=3), _param("level", neutral=(0,), examples=(0, 1))
    ] = None
    """How far steps are compiled: not at all, default mode, autotuned with dynamic shapes, or
    autotuned with fixed ones."""

    scheduler_type: Annotated[
        Literal["fifo", "prefill_first"] | None,
        _param(neutral=("fifo",), examples=("fifo", "prefill_first")),
    ] = None
    """Which requests come first: those that came first, or those whose prompt is not computed."""

    safety_margin: Annotated[float | None, Field(ge=0, le=1), _param("ratio", examples=(0.2,))] = (
        None
    )
    """Share of free blocks below which no new prompt is begun."""

    auto_switch_to_flash: Annotated[
        bool | None, _param(neutral=(True,), examples=(False, True))
    ] = None
    """Whether flash attention replaces sdpa or eager where it is installed. llem passes `false`
    when `attn_implementation` is set, because that one is asked for."""

    cpu_offload_space: Annotated[
        float | None, Field(ge=0), _param("GiB", neutral=(0,), examples=(1.0,))
    ] = None
    """Host memory for the cache of requests that had to make room."""

    cpu_offload_space_safety_threshold: Annotated[
        float | None, Field(ge=0, le=1), _param("ratio", neutral=(0.8,), examples=(0.5,))
    ] = None
    """Share of the host's memory that `cpu_offload_space` may not exceed."""
