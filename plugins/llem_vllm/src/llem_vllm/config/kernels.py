"""Choice of kernels."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, Param, Section
from llem_vllm.config.choices import (
    AttentionBackend,
    IndexerTopk,
    LinearBackend,
    MlaPrefillBackend,
    MoeBackend,
)


class AttentionSettings(Section, builds="vllm.config.AttentionConfig"):
    """Settings of attention kernels (`AttentionConfig` of vLLM)."""

    flash_attn_version: Annotated[Literal[2, 3, 4] | None, Param(examples=(3,))] = None
    """Version of FlashAttention."""

    flash_attn_max_num_splits_for_cuda_graph: Annotated[
        int | None, Field(ge=1), Param(unit="splits", examples=(16,))
    ] = None
    """Maximum number of FlashAttention splits in decode graphs."""

    tokenspeed_mla_min_split_kv: Annotated[
        int | None, Field(ge=1, le=256), Param(unit="splits", examples=(2,))
    ] = None
    """Minimum number of splits of TokenSpeed latent attention."""

    tq_max_kv_splits_for_cuda_graph: Annotated[
        int | None, Field(ge=1), Param(unit="splits", examples=(16,))
    ] = None
    """Maximum number of TurboQuant splits in decode graphs."""

    use_trtllm_attention: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether FlashInfer uses the kernels of TensorRT-LLM; unset leaves it to FlashInfer."""

    disable_flashinfer_q_quantization: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether queries keep their type with an FP8 cache."""

    mla_prefill_backend: Annotated[MlaPrefillBackend | None, Param(examples=("FLASH_ATTN",))] = None
    """Prefill kernel of models with latent attention."""

    use_prefill_query_quantization: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether queries of prompts are quantized."""

    indexer_kv_dtype: Annotated[
        Literal["auto", "bf16", "fp8", "mxfp4", "nvfp4"] | None, Param(examples=("fp8",))
    ] = None
    """Data type of the cache of a sparse-attention indexer."""

    sparse_mla_force_mqa: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether sparse latent attention always takes its multi-query path."""

    sparse_mla_prefill_workspace_factor: Annotated[
        int | None, Field(ge=2), Param(unit="1", examples=(4,))
    ] = None
    """Workspace of sparse latent attention, as a multiple of the minimum."""

    flex_attn_block_m: Annotated[int | None, Field(ge=16), Param(unit="tokens", examples=(64,))] = (
        None
    )
    """Query tile of FlexAttention."""

    flex_attn_block_n: Annotated[int | None, Field(ge=16), Param(unit="tokens", examples=(64,))] = (
        None
    )
    """Key tile of FlexAttention."""

    flex_attn_q_block_size: Annotated[
        int | None, Field(ge=16), Param(unit="tokens", examples=(64,))
    ] = None
    """Query block of FlexAttention's mask."""

    flex_attn_kv_block_size: Annotated[
        int | None, Field(ge=16), Param(unit="tokens", examples=(64,))
    ] = None
    """Key block of FlexAttention's mask."""


class KernelSettings(Section, builds="vllm.config.KernelConfig"):
    """Settings of kernels in general (`KernelConfig` of vLLM)."""

    linear_backend_per_quant: Annotated[
        dict[str, LinearBackend] | None,
        Param(neutral=({},), examples=({"fp8": "cutlass"},)),
    ] = None
    """Kernel for matrix products by quantization scheme."""

    enable_jit_warmup: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether kernels are compiled while loading instead of on first use."""

    enable_rocm_segmented_attn_autotune: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether segmented attention is tuned on ROCm."""


class OperationPriority(Section, builds="vllm.config.kernel.IrOpPriorityConfig"):
    """Preferred implementations of operations, best first (`IrOpPriorityConfig` of vLLM)."""

    rms_norm: Annotated[tuple[str, ...] | None, Param(examples=(("native",),))] = None
    """Preferred implementations of RMSNorm."""

    fused_add_rms_norm: Annotated[tuple[str, ...] | None, Param(examples=(("native",),))] = None
    """Preferred implementations of RMSNorm with the preceding addition."""

    gelu_and_mul_sparse: Annotated[tuple[str, ...] | None, Param(examples=(("native",),))] = None
    """Preferred implementations of GELU and product on sparse activations."""


class KernelFields(BackendConfig, feeds="load"):
    """Fields of kernels."""

    attention_backend: Annotated[
        AttentionBackend | None, Param(examples=("FLASH_ATTN", "TRITON_ATTN"))
    ] = None
    """Attention kernel; unset takes the best that vLLM finds for platform and model."""

    attention_config: AttentionSettings | None = None
    """Settings of attention kernels."""

    moe_backend: Annotated[MoeBackend | None, Param(examples=("triton",))] = None
    """Kernel for the experts of MoE models."""

    linear_backend: Annotated[LinearBackend | None, Param(examples=("cutlass",))] = None
    """Kernel for matrix products."""

    sparse_indexer_topk_backend: Annotated[IndexerTopk | None, Param(examples=("torch",))] = None
    """Kernel that selects the keys of sparse attention."""

    kernel_config: KernelSettings | None = None
    """Settings of kernels in general."""

    ir_op_priority: OperationPriority | None = None
    """Preferred implementations of operations."""

    enable_flashinfer_autotune: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether FlashInfer kernels are tuned while loading."""

    gdn_prefill_backend: Annotated[
        Literal["flashinfer", "triton", "cutedsl", "aiter_flydsl"] | None,
        Param(examples=("triton",)),
    ] = None
    """Prefill kernel of gated delta nets."""

    kda_prefill_backend: Annotated[
        Literal["auto", "triton", "flashkda", "flashinfer", "fused"] | None,
        Param(examples=("triton",)),
    ] = None
    """Prefill kernel of Kimi delta attention."""

    kda_decode_backend: Annotated[
        Literal["auto", "native", "flashinfer", "triton"] | None, Param(examples=("triton",))
    ] = None
    """Decode kernel of Kimi delta attention."""

    use_fp64_gumbel: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether sampling noise is drawn in double precision."""
