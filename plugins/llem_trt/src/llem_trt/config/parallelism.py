"""How the model is spread over devices."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from llem.schema.base import FrozenModel, Param
from llem.schema.experiment import BackendConfig
from llem_trt.config.markers import OLD, PYTORCH, llm
from llem_trt.versions import Only

Ranks = Annotated[int, Field(ge=1, le=4096)]

_HELIX = {"trt.context_parallel.cp_type": "HELIX"}
_STAR = {"trt.context_parallel.cp_type": "STAR"}
_BALANCE = {"trt.attention_dp.enable_balance": True}


def _shared(name: str, **options: Any) -> Param:
    older = OLD if options.get("requires") is _STAR else {}
    return llm(
        f"cp_config.{name}", example_context={**older, "trt.context_parallel_size": 2}, **options
    )


def _balanced(name: str, **options: Any) -> Param:
    example_context = {"trt.enable_attention_dp": True, "trt.tensor_parallel_size": 2}
    return llm(f"attention_dp_config.{name}", example_context=example_context, **options)


class ContextParallel(FrozenModel):
    """How ranks share one sequence: ``CpConfig``."""

    cp_type: Annotated[
        Literal["ULYSSES", "STAR", "RING", "HELIX"] | None,
        _shared("cp_type", examples=("HELIX",)),
        Only("1.2", values=("STAR",)),
    ] = None
    """Algorithm."""

    tokens_per_block: Annotated[
        int | None,
        Field(ge=1),
        _shared("tokens_per_block", unit="tokens", requires=_HELIX, examples=(32,)),
    ] = None
    """Block size; the same as the KV cache's."""

    use_nccl_for_alltoall: Annotated[
        bool | None, _shared("use_nccl_for_alltoall", requires=_HELIX, examples=(False,))
    ] = None
    """Whether NCCL exchanges the parts."""

    fifo_version: Annotated[
        int | None,
        Field(ge=1, le=2),
        _shared("fifo_version", unit="1", requires=_HELIX, examples=(1,)),
    ] = None
    """Version of the exchange's queue where NCCL is not used."""

    cp_anchor_size: Annotated[
        int | None,
        Field(ge=1),
        _shared(
            "cp_anchor_size",
            unit="tokens",
            requires=_STAR,
            examples=(1024,),
        ),
        Only("1.2"),
    ] = None
    """Tokens that every rank attends to."""

    block_size: Annotated[
        int | None,
        Field(ge=1),
        _shared("block_size", unit="tokens", requires=_STAR, examples=(1024,)),
        Only("1.2"),
    ] = None
    """Tokens of one rank's block."""


class AttentionDp(FrozenModel):
    """Balance between ranks that each attend to their own requests: ``AttentionDpConfig``."""

    enable_balance: Annotated[bool | None, _balanced("enable_balance", examples=(True,))] = None
    """Whether requests wait so that ranks get equally many."""

    timeout_iters: Annotated[
        int | None,
        Field(ge=0),
        _balanced("timeout_iters", unit="iterations", requires=_BALANCE, examples=(10,)),
    ] = None
    """Iterations after which a rank no longer waits."""

    batching_wait_iters: Annotated[
        int | None,
        Field(ge=0),
        _balanced(
            "batching_wait_iters",
            unit="iterations",
            requires=_BALANCE,
            examples=(5,),
        ),
    ] = None
    """Iterations to wait for a fuller batch."""


class ParallelFields(BackendConfig):
    """Ranks, each of which is one device: tensor by pipeline by context parallel size."""

    tensor_parallel_size: Annotated[
        Ranks | None, llm("tensor_parallel_size", unit="devices", examples=(2,))
    ] = None
    """Devices that each layer is split over."""

    pipeline_parallel_size: Annotated[
        Ranks | None, llm("pipeline_parallel_size", unit="devices", examples=(2,))
    ] = None
    """Stages that the layers are distributed over."""

    context_parallel_size: Annotated[
        Ranks | None, llm("context_parallel_size", unit="devices", examples=(2,))
    ] = None
    """Devices that share each sequence."""

    pp_partition: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...] | None,
        Field(min_length=1),
        llm(
            "pp_partition",
            unit="layers",
            examples=((16, 16),),
            example_context={"trt.pipeline_parallel_size": 2},
        ),
    ] = None
    """Layers of each stage; unset divides them evenly."""

    moe_tensor_parallel_size: Annotated[
        Ranks | None,
        llm(
            "moe_tensor_parallel_size",
            unit="devices",
            examples=(2,),
            example_context={"trt.tensor_parallel_size": 2},
        ),
    ] = None
    """Devices that each expert is split over."""

    moe_expert_parallel_size: Annotated[
        Ranks | None,
        llm(
            "moe_expert_parallel_size",
            unit="devices",
            examples=(2,),
            example_context={"trt.tensor_parallel_size": 2},
        ),
    ] = None
    """Devices that the experts are distributed over."""

    moe_cluster_parallel_size: Annotated[
        Ranks | None,
        llm(
            "moe_cluster_parallel_size",
            unit="clusters",
            examples=(2,),
            example_context={**OLD, "trt.tensor_parallel_size": 2},
        ),
        Only("1.2"),
    ] = None
    """Clusters of devices that each hold every expert; deprecated later."""

    enable_attention_dp: Annotated[
        bool | None,
        llm(
            "enable_attention_dp", examples=(True,), example_context={"trt.tensor_parallel_size": 2}
        ),
    ] = None
    """Whether each rank attends to requests of its own instead of a share of all heads."""

    enable_lm_head_tp_in_adp: Annotated[
        bool | None,
        llm(
            "enable_lm_head_tp_in_adp",
            requires={"trt.enable_attention_dp": True},
            examples=(True,),
            example_context={"trt.tensor_parallel_size": 2},
        ),
    ] = None
    """Whether the output projection stays split over the ranks all the same."""

    allreduce_strategy: Annotated[
        Literal[
            "AUTO", "NCCL", "UB", "MINLATENCY", "ONESHOT", "TWOSHOT", "LOWPRECISION", "MNNVL",
            "NCCL_SYMMETRIC",
        ]
        | None,
        llm("allreduce_strategy", requires=PYTORCH, examples=("NCCL",)),
    ] = None  # fmt: skip
    """How ranks sum their parts."""

    context_parallel: Annotated[
        ContextParallel | None,
        llm(
            "cp_config",
            examples=({"cp_type": "HELIX"},),
            example_context={"trt.context_parallel_size": 2},
        ),
    ] = None
    """How ranks share one sequence."""

    attention_dp: Annotated[
        AttentionDp | None,
        llm(
            "attention_dp_config",
            requires={**PYTORCH, "trt.enable_attention_dp": True},
            examples=({"enable_balance": True},),
            example_context={"trt.tensor_parallel_size": 2},
        ),
    ] = None
    """Balance between ranks that attend to their own requests."""
