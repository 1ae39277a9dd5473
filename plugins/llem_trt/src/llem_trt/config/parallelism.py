"""Parallelism over devices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, Param, Section
from llem_trt.versions import OLD, PYTORCH, Only

Ranks = Annotated[int, Field(ge=1, le=4096)]

_HELIX = {"trt.context_parallel.cp_type": "HELIX"}
_STAR = {"trt.context_parallel.cp_type": "STAR"}
_BALANCE = {"trt.attention_dp.enable_balance": True}
_SHARED = {"trt.context_parallel_size": 2}
_BALANCED = {"trt.enable_attention_dp": True, "trt.tensor_parallel_size": 2}


class ContextParallel(
    Section, feeds="load.cp_config", builds="tensorrt_llm.llmapi.llm_args.CpConfig"
):
    """How ranks share one sequence: ``CpConfig``."""

    cp_type: Annotated[
        Literal["ULYSSES", "STAR", "RING", "HELIX"] | None,
        Param(neutral=("ULYSSES",), examples=("HELIX",), example_context=_SHARED),
        Only("1.2", values=("STAR",)),
    ] = None
    """Algorithm of context parallelism."""

    tokens_per_block: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires=_HELIX, examples=(32,), example_context=_SHARED),
    ] = None
    """Block size; it must equal the KV cache's."""

    use_nccl_for_alltoall: Annotated[
        bool | None, Param(requires=_HELIX, examples=(False,), example_context=_SHARED)
    ] = None
    """Whether NCCL exchanges the parts of a sequence."""

    fifo_version: Annotated[
        int | None,
        Field(ge=1, le=2),
        Param(unit="1", requires=_HELIX, examples=(1,), example_context=_SHARED),
    ] = None
    """Version of the queue that exchanges the parts without NCCL."""

    cp_anchor_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires=_STAR, examples=(1024,), example_context={**OLD, **_SHARED}),
        Only("1.2"),
    ] = None
    """Tokens that every rank attends to."""

    block_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires=_STAR, examples=(1024,), example_context={**OLD, **_SHARED}),
        Only("1.2"),
    ] = None
    """Tokens of a rank's block."""


class AttentionDp(
    Section, feeds="load.attention_dp_config", builds="tensorrt_llm.llmapi.AttentionDpConfig"
):
    """Balance between ranks that each attend to their own requests: ``AttentionDpConfig``."""

    enable_balance: Annotated[
        bool | None, Param(neutral=(False,), examples=(True,), example_context=_BALANCED)
    ] = None
    """Whether requests wait so that ranks get equally many."""

    timeout_iters: Annotated[
        int | None,
        Field(ge=0),
        Param(
            unit="iterations",
            requires=_BALANCE,
            neutral=(50,),
            examples=(10,),
            example_context=_BALANCED,
        ),
    ] = None
    """Number of iterations after which a rank stops waiting."""

    batching_wait_iters: Annotated[
        int | None,
        Field(ge=0),
        Param(
            unit="iterations",
            requires=_BALANCE,
            neutral=(10,),
            examples=(5,),
            example_context=_BALANCED,
        ),
    ] = None
    """Iterations to wait for a fuller batch."""


class ParallelFields(BackendConfig, feeds="load"):
    """Ranks, each of which is one device: tensor by pipeline by context parallel size."""

    tensor_parallel_size: Annotated[
        Ranks | None, Param(unit="devices", gpus="each", examples=(2,))
    ] = None
    """Devices that each layer is split over."""

    pipeline_parallel_size: Annotated[
        Ranks | None, Param(unit="devices", gpus="each", examples=(2,))
    ] = None
    """Stages that the layers are distributed over."""

    context_parallel_size: Annotated[
        Ranks | None, Param(unit="devices", gpus="each", examples=(2,))
    ] = None
    """Devices that share each sequence."""

    pp_partition: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...] | None,
        Field(min_length=1),
        Param(
            unit="layers", examples=((16, 16),), example_context={"trt.pipeline_parallel_size": 2}
        ),
    ] = None
    """Number of layers of each stage; unset divides them evenly."""

    moe_tensor_parallel_size: Annotated[
        Ranks | None,
        Param(unit="devices", examples=(2,), example_context={"trt.tensor_parallel_size": 2}),
    ] = None
    """Devices that each expert is split over."""

    moe_expert_parallel_size: Annotated[
        Ranks | None,
        Param(unit="devices", examples=(2,), example_context={"trt.tensor_parallel_size": 2}),
    ] = None
    """Devices that the experts are distributed over."""

    moe_cluster_parallel_size: Annotated[
        Ranks | None,
        Param(
            unit="clusters", examples=(2,), example_context={**OLD, "trt.tensor_parallel_size": 2}
        ),
        Only("1.2"),
    ] = None
    """Number of clusters of devices that each hold every expert; deprecated from 1.3 on."""

    enable_attention_dp: Annotated[
        bool | None,
        Param(examples=(True,), example_context={"trt.tensor_parallel_size": 2}),
    ] = None
    """Whether each rank attends to its own requests instead of a share of all heads."""

    enable_lm_head_tp_in_adp: Annotated[
        bool | None,
        Param(
            requires={"trt.enable_attention_dp": True},
            neutral=(False,),
            examples=(True,),
            example_context={"trt.tensor_parallel_size": 2},
        ),
    ] = None
    """Whether the output projection stays split over ranks under attention data parallelism."""

    allreduce_strategy: Annotated[
        Literal[
            "AUTO", "NCCL", "UB", "MINLATENCY", "ONESHOT", "TWOSHOT", "LOWPRECISION", "MNNVL",
            "NCCL_SYMMETRIC",
        ]
        | None,
        Param(requires=PYTORCH, neutral=("AUTO",), examples=("NCCL",)),
    ] = None  # fmt: skip
    """How ranks sum their parts."""

    context_parallel: Annotated[
        ContextParallel | None,
        Param(examples=({"cp_type": "HELIX"},), example_context={"trt.context_parallel_size": 2}),
    ] = None
    """How ranks share a sequence."""

    attention_dp: Annotated[
        AttentionDp | None,
        Param(
            requires={**PYTORCH, "trt.enable_attention_dp": True},
            examples=({"enable_balance": True},),
            example_context={"trt.tensor_parallel_size": 2},
        ),
    ] = None
    """Balance between ranks that attend to their own requests."""
