"""What the compiler makes one kernel of."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from llem.api import Param, Section


class FusionPasses(Section, builds="vllm.config.PassConfig"):
    """Fusions of the compiler (`PassConfig` of vLLM)."""

    fuse_norm_quant: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether RMSNorm and quantization are fused."""

    fuse_act_quant: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether activation and quantization are fused."""

    fuse_attn_quant: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether attention and the quantization of its output are fused."""

    eliminate_noops: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether operations without effect are removed."""

    fuse_allreduce_rms: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether all-reduce and RMSNorm are fused."""

    enable_qk_norm_rope_fusion: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether the norms of queries and keys and the rotary embedding are fused."""

    fuse_rope_kvcache_cat_mla: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether rotary embedding and cache writes of latent attention are fused."""

    fuse_act_padding: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether RMSNorm and padding are fused."""

    fuse_mla_dual_rms_norm: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether the two norms of latent attention are fused."""

    fuse_rope_kvcache: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether rotary embedding and cache writes are fused."""

    fuse_qk_norm_rope_kvcache: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether norms, rotary embedding and cache writes are fused, on ROCm."""

    rope_kvcache_fusion_max_token_num: Annotated[
        int | None, Field(ge=0), Param(unit="tokens", examples=(128,))
    ] = None
    """Maximum number of tokens for which rotary embedding and cache writes are fused."""

    fi_allreduce_fusion_max_size_mb: Annotated[
        float | None, Field(gt=0), Param(unit="MiB", examples=(1.0,))
    ] = None
    """Maximum size for which FlashInfer fuses an all-reduce."""
