"""Mixture of experts: ``MoeConfig``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import Param, Section
from llem_trt.versions import Only


class ExpertBalancer(Section, builds="tensorrt_llm.llmapi.llm_args.MoeLoadBalancerConfig"):
    """Placement of experts on ranks: ``MoeLoadBalancerConfig``."""

    num_slots: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="slots", examples=(64,)),
    ] = None
    """Places for experts over all ranks; a multiple of the expert parallel size."""

    layer_updates_per_iter: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="layers", examples=(1,)),
    ] = None
    """Number of layers whose experts may move in an iteration; 0 moves none."""


class Experts(Section, feeds="load.moe_config", builds="tensorrt_llm.llmapi.MoeConfig"):
    """Kernels and placement of experts."""

    backend: Annotated[
        Literal[
            "AUTO", "CUTLASS", "CUTEDSL", "WIDEEP", "TRTLLM", "DEEPGEMM", "VANILLA", "TRITON",
            "DENSEGEMM", "MARLIN",
        ]
        | None,
        Param(examples=("CUTLASS",)),
        Only("1.2", values=("WIDEEP",)),
        Only("1.3", values=("DENSEGEMM", "MARLIN")),
    ] = None  # fmt: skip
    """Kernels of the experts."""

    max_num_tokens: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", examples=(4096,)),
    ] = None
    """Tokens in a call of the fused kernel; more need several calls."""

    load_balancer: Annotated[ExpertBalancer | None, Param(examples=({"num_slots": 64},))] = None
    """Placement of experts on ranks."""

    disable_finalize_fusion: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether to avoid a fusion whose sums depend on the order of arrival."""

    use_low_precision_moe_combine: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether expert outputs of an NVFP4 checkpoint are summed in lower precision."""
