"""KV cache, prefix cache and Mamba state."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from llem.api import IS_SET, BackendConfig, EngineArg, Param
from llem_vllm.config.choices import KvCacheDtype, MambaDtype


class KvCacheFields(BackendConfig, feeds="load"):
    """Fields of the KV cache."""

    kv_cache_dtype: Annotated[
        KvCacheDtype | None,
        # The first tensor cores that multiply FP8; vLLM unpacks the cache on older ones.
        Param(native_compute_capability={"fp8*": (8, 9)}, examples=("fp8",)),
    ] = None
    """Data type of the KV cache; unset takes the model's."""

    kv_cache_dtype_skip_layers: Annotated[
        tuple[str, ...] | None,
        Param(requires={"vllm.kv_cache_dtype": IS_SET}, neutral=((),), examples=(("0", "1"),)),
    ] = None
    """Layers whose keys and values keep the model's type."""

    block_size: Annotated[int | None, Field(ge=1), Param(unit="tokens", examples=(16, 32))] = None
    """Tokens per block of the KV cache; unset depends on the attention kernel."""

    gpu_memory_utilization: Annotated[
        float | None,
        Field(gt=0, le=1),
        Param(unit="ratio", neutral=(0.92,), examples=(0.5, 0.9)),
    ] = None
    """Share of the device memory for weights, activations and KV cache."""

    kv_cache_memory_bytes: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="bytes", conflicts_with=("vllm.gpu_memory_utilization",), examples=(2**30,)),
    ] = None
    """Size of the KV cache of each device; replaces `gpu_memory_utilization`."""

    num_gpu_blocks_override: Annotated[
        int | None, Field(ge=1), Param(unit="blocks", examples=(512,))
    ] = None
    """Number of KV blocks; unset fills the memory."""

    enable_prefix_caching: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether requests share the KV cache of a common beginning."""

    reset_prefix_cache: Annotated[
        bool | None,
        Param(maps_to=EngineArg("settings", "reset_prefix_cache"), examples=(False,)),
    ] = None
    """Whether llem empties the prefix cache before each repetition, outside its window; unset is
    true. Otherwise later repetitions find the work of earlier ones done, and the verdict says
    so."""

    prefix_caching_hash_algo: Annotated[
        Literal["sha256", "sha256_cbor", "xxhash", "xxhash_cbor"] | None,
        Param(
            requires={"vllm.enable_prefix_caching": (None, True)},
            neutral=("sha256",),
            packages={"xxhash*": ("xxhash",)},
            examples=("xxhash",),
        ),
    ] = None
    """Hash algorithm of the prefix cache."""

    prefix_cache_retention_interval: Annotated[
        int | None,
        Field(ge=0),
        Param(
            unit="tokens",
            requires={"vllm.enable_prefix_caching": (None, True)},
            neutral=(0,),
            examples=(256,),
        ),
    ] = None
    """Distance between kept checkpoints of sliding-window and Mamba layers."""

    prefix_match_unit: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires={"vllm.enable_prefix_caching": (None, True)}, examples=(64,)),
    ] = None
    """Unit, in tokens, in which prompts share a beginning."""

    disable_sliding_window: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether sliding windows are off and the context is cut to their length."""

    disable_hybrid_kv_cache_manager: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether all kinds of attention share one layout of the cache."""

    kv_sharing_fast_prefill: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether layers that share keys and values skip work on prompts."""

    swa_bounded_replay: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether sliding-window layers recompute their keys and values after a prefix hit."""

    kv_offloading_size: Annotated[
        float | None,
        Field(ge=0),
        AfterValidator(lambda size: size or None),
        Param(unit="GiB", examples=(4.0,)),
    ] = None
    """Host memory for blocks moved out of the device, for all tensor-parallel ranks together;
    unset and 0 move none."""

    kv_offloading_backend: Annotated[
        Literal["native", "lmcache"] | None,
        Param(
            requires={"vllm.kv_offloading_size": IS_SET},
            neutral=("native",),
            packages={"lmcache": ("lmcache",)},
            examples=("lmcache",),
        ),
    ] = None
    """Library that moves KV blocks to host memory."""


class MambaFields(BackendConfig, feeds="load"):
    """Fields of the state that Mamba layers keep instead of keys and values."""

    mamba_cache_dtype: Annotated[MambaDtype | None, Param(examples=("float32",))] = None
    """Data type of Mamba convolution states and caches."""

    mamba_ssm_cache_dtype: Annotated[MambaDtype | None, Param(examples=("float32",))] = None
    """Data type of the recurrent Mamba state."""

    mamba_block_size: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="tokens", requires={"vllm.enable_prefix_caching": (None, True)}, examples=(256,)
        ),
    ] = None
    """Tokens per block of Mamba states."""

    mamba_cache_mode: Annotated[Literal["align", "none"] | None, Param(examples=("align",))] = None
    """How prefix caching treats Mamba layers."""

    enable_mamba_shared_prefix_checkpoint: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether Mamba layers keep a checkpoint where prompts diverge."""

    use_replayssm: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether decoding uses the ReplaySSM kernel."""

    replayssm_buffer_len: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires={"vllm.use_replayssm": True}, neutral=(16,), examples=(32,)),
    ] = None
    """Length of the history of the ReplaySSM kernel."""

    mamba_backend: Annotated[
        Literal["triton", "flashinfer", "cpu"] | None, Param(examples=("flashinfer",))
    ] = None
    """Kernels that update the Mamba state."""

    mamba_ssu_algorithm: Annotated[
        Literal["auto", "simple", "vertical", "horizontal"] | None,
        Param(requires={"vllm.mamba_backend": "flashinfer"}, examples=("simple",)),
    ] = None
    """Algorithm of the FlashInfer kernel for Mamba states."""

    enable_mamba_cache_stochastic_rounding: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether float16 Mamba states are rounded stochastically."""

    mamba_cache_philox_rounds: Annotated[
        int | None,
        Field(ge=0),
        Param(
            unit="rounds",
            requires={"vllm.enable_mamba_cache_stochastic_rounding": True},
            neutral=(0,),
            examples=(4,),
        ),
    ] = None
    """Rounds of the random generator of stochastic rounding."""
