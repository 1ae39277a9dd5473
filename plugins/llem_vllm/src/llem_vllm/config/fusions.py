"""What the compiler makes one kernel of."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from llem.schema.base import EngineArg, FrozenModel, Param


class FusionPasses(FrozenModel):
    """Fusions of the compiler (`PassConfig` of vLLM)."""

    fuse_norm_quant: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("load", "compilation_config.pass_config.fuse_norm_quant"),),
            examples=(False,),
        ),
    ] = None
    """Whether RMSNorm and quantisation become one kernel."""

    fuse_act_quant: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("load", "compilation_config.pass_config.fuse_act_quant"),),
            examples=(False,),
        ),
    ] = None
    """Whether activation and quantisation do."""

    fuse_attn_quant: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("load", "compilation_config.pass_config.fuse_attn_quant"),),
            examples=(True,),
        ),
    ] = None
    """Whether attention and the quantisation of its output do."""

    eliminate_noops: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("load", "compilation_config.pass_config.eliminate_noops"),),
            examples=(False,),
        ),
    ] = None
    """Whether operations without effect are dropped."""

    fuse_allreduce_rms: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("load", "compilation_config.pass_config.fuse_allreduce_rms"),),
            examples=(True,),
        ),
    ] = None
    """Whether all-reduce and RMSNorm do."""

    enable_qk_norm_rope_fusion: Annotated[
        bool | None,
        Param(
            maps_to=(
                EngineArg("load", "compilation_config.pass_config.enable_qk_norm_rope_fusion"),
            ),
            examples=(True,),
        ),
    ] = None
    """Whether the norms of queries and keys and the rotary embedding do."""

    fuse_rope_kvcache_cat_mla: Annotated[
        bool | None,
        Param(
            maps_to=(
                EngineArg("load", "compilation_config.pass_config.fuse_rope_kvcache_cat_mla"),
            ),
            examples=(True,),
        ),
    ] = None
    """Whether rotary embedding and cache writes of latent attention do."""

    fuse_act_padding: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("load", "compilation_config.pass_config.fuse_act_padding"),),
            examples=(True,),
        ),
    ] = None
    """Whether RMSNorm and padding do."""

    fuse_mla_dual_rms_norm: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("load", "compilation_config.pass_config.fuse_mla_dual_rms_norm"),),
            examples=(True,),
        ),
    ] = None
    """Whether the two norms of latent attention do."""

    fuse_rope_kvcache: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("load", "compilation_config.pass_config.fuse_rope_kvcache"),),
            examples=(True,),
        ),
    ] = None
    """Whether rotary embedding and cache writes do."""

    fuse_qk_norm_rope_kvcache: Annotated[
        bool | None,
        Param(
            maps_to=(
                EngineArg("load", "compilation_config.pass_config.fuse_qk_norm_rope_kvcache"),
            ),
            examples=(True,),
        ),
    ] = None
    """Whether norms, rotary embedding and cache writes do, on ROCm."""

    rope_kvcache_fusion_max_token_num: Annotated[
        int | None,
        Field(ge=0),
        Param(
            unit="tokens",
            maps_to=(
                EngineArg(
                    "load", "compilation_config.pass_config.rope_kvcache_fusion_max_token_num"
                ),
            ),
            examples=(128,),
        ),
    ] = None
    """Tokens up to which rotary embedding and cache writes are fused."""

    fi_allreduce_fusion_max_size_mb: Annotated[
        float | None,
        Field(gt=0),
        Param(
            unit="MiB",
            maps_to=(
                EngineArg("load", "compilation_config.pass_config.fi_allreduce_fusion_max_size_mb"),
            ),
            examples=(1.0,),
        ),
    ] = None
    """Size up to which FlashInfer fuses an all-reduce."""
