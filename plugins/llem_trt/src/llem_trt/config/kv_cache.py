"""The KV cache: ``KvCacheConfig``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import Param, Section
from llem_trt.hardware import KV_CACHE_NEEDS, KV_CACHE_RUNS_ON, elsewhere
from llem_trt.versions import NEW, OLD, PYTORCH, Only

Share = Annotated[float, Field(ge=0, le=1)]


class KvCache(Section, feeds="load.kv_cache_config", builds="tensorrt_llm.llmapi.KvCacheConfig"):
    """Size, type and reuse of the KV cache."""

    dtype: Annotated[
        Literal["auto", "fp8", "nvfp4", "fp8_ds_mla", "float16", "bfloat16", "float32"] | None,
        Param(
            requires=PYTORCH,
            min_compute_capability=KV_CACHE_NEEDS,
            ignored_when=elsewhere(KV_CACHE_RUNS_ON),
            neutral=("auto",),
            examples=("auto", "fp8"),
        ),
        Only("1.3", values=("nvfp4", "fp8_ds_mla")),
    ] = None
    """Data type of the cache; unset takes the checkpoint's."""

    free_gpu_memory_fraction: Annotated[Share | None, Param(unit="ratio", examples=(0.5,))] = None
    """Share of the memory left after loading that the cache takes."""

    max_tokens: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", examples=(65_536,)),
    ] = None
    """Capacity; the smallest of this, the share and `max_gpu_total_bytes` wins."""

    max_gpu_total_bytes: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="bytes", examples=(2**30,)),
    ] = None
    """Upper bound of the cache's device memory; 0 sets none."""

    host_cache_size: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="bytes", examples=(2**30,)),
    ] = None
    """Host memory for blocks that exceed the device's memory."""

    onboard_blocks: Annotated[
        bool | None,
        Param(neutral=(True,), examples=(False,), example_context=OLD),
        Only("1.2"),
    ] = None
    """Whether blocks move back from the host before they are reused."""

    secondary_offload_min_priority: Annotated[
        int | None,
        Field(ge=0, le=100),
        Param(unit="1", examples=(35,)),
    ] = None
    """Only blocks of a higher priority may move to host memory."""

    enable_block_reuse: Annotated[bool | None, Param(examples=(False, True))] = None
    """Whether requests share the blocks of a common beginning. No repetition reuses the blocks of
    an earlier one in either case."""

    enable_partial_reuse: Annotated[
        bool | None,
        Param(
            requires={"trt.kv_cache.enable_block_reuse": (None, True)},
            neutral=(True,),
            examples=(False,),
        ),
    ] = None
    """Whether blocks that match in part are reused too."""

    copy_on_partial_reuse: Annotated[
        bool | None,
        Param(
            requires={
                "trt.kv_cache.enable_block_reuse": (None, True),
                "trt.kv_cache.enable_partial_reuse": (None, True),
            },
            neutral=(True,),
            examples=(False,),
        ),
    ] = None
    """Whether a partly matching block in use is copied."""

    tokens_per_block: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(unit="tokens", examples=(64,)),
    ] = None
    """Tokens in one block."""

    max_attention_window: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...] | None,
        Field(min_length=1),
        Param(unit="tokens", examples=((4096,),)),
    ] = None
    """Tokens that each layer attends to; a shorter list is repeated over the layers."""

    sink_token_length: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="tokens", examples=(4,), example_context=OLD),
        Only("1.2"),
    ] = None
    """First tokens that always stay in the window; later versions ignore it."""

    use_uvm: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether the cache lies in unified memory."""

    mamba_ssm_cache_dtype: Annotated[
        Literal["auto", "float32", "float16", "bfloat16"] | None,
        Param(examples=("bfloat16",)),
    ] = None
    """Data type of the state of Mamba layers."""

    use_kv_cache_manager_v2: Annotated[
        bool | Literal["auto"] | None,
        Param(neutral=("auto",), examples=(True,)),
        Only("1.3", values=("auto",)),
    ] = None
    """Whether the second cache manager is used, a prototype in 1.2; `auto` leaves it to the
    engine."""

    max_util_for_resume: Annotated[
        Annotated[float, Field(gt=0, le=1)] | None,
        Param(
            unit="ratio",
            requires={"trt.kv_cache.use_kv_cache_manager_v2": True},
            neutral=(0.95,),
            examples=(0.9,),
        ),
    ] = None
    """Utilization below which the second manager resumes a request."""

    disk_cache_size: Annotated[
        int | None,
        Field(ge=0),
        Param(
            unit="bytes",
            examples=(2**30,),
            example_context={**NEW, "trt.kv_cache.disk_cache_path": "folder"},
        ),
        Only("1.3"),
    ] = None
    """Disk space for blocks that exceed host memory."""

    disk_cache_path: Annotated[
        str | None,
        Field(min_length=1),
        Param(examples=("folder",), example_context=NEW),
        Only("1.3"),
    ] = None
    """Existing folder for the disk cache."""

    avg_seq_len: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", examples=(1024,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Typical length of a request, by which memory is divided among kinds of layers."""

    pool_ratio: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1)], ...] | None,
        Field(min_length=1),
        Param(unit="ratio", examples=((0.5, 0.5),), example_context=NEW),
        Only("1.3"),
    ] = None
    """Shares of the memory's pools at the start; they add up to 1."""

    enable_swa_scratch_reuse: Annotated[
        bool | None,
        Param(neutral=(False,), examples=(True,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Whether sliding windows share scratch memory."""

    fp8_context_mla_kv_len_cap: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", examples=(8192,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Longest context that latent attention's fp8 workspace is sized for."""
