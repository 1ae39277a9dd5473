"""Parallelism over devices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, BackendConfig, Param, Section
from llem_vllm.config.choices import All2AllBackend

_BALANCED = {"vllm.enable_eplb": True}


class ExpertBalance(Section, builds="vllm.config.EPLBConfig"):
    """Rebalancing of experts (`EPLBConfig` of vLLM)."""

    window_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="steps", requires=_BALANCED, neutral=(1000,), examples=(500,)),
    ] = None
    """Number of past steps from which the load of experts is computed."""

    step_interval: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="steps", requires=_BALANCED, neutral=(3000,), examples=(1000,)),
    ] = None
    """Number of steps between two rearrangements of experts."""

    num_redundant_experts: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="experts", requires=_BALANCED, neutral=(0,), examples=(8,)),
    ] = None
    """Number of additional copies of experts."""

    use_async: Annotated[
        bool | None, Param(requires=_BALANCED, neutral=(True,), examples=(False,))
    ] = None
    """Whether experts move while the engine keeps working."""

    communicator: Annotated[
        Literal["torch_nccl", "torch_gloo", "torch_xccl", "nixl", "pynccl"] | None,
        Param(requires=_BALANCED, examples=("pynccl",)),
    ] = None
    """Library that moves experts."""

    enable_migration_batching: Annotated[
        bool | None, Param(requires=_BALANCED, neutral=(False,), examples=(True,))
    ] = None
    """Whether each rank exchanges experts with one other rank at a time."""


class ParallelismFields(BackendConfig, feeds="load"):
    """Fields of parallelism."""

    tensor_parallel_size: Annotated[
        int | None, Field(ge=1), Param(unit="devices", gpus="each", examples=(2,))
    ] = None
    """Devices that each layer is split over."""

    pipeline_parallel_size: Annotated[
        int | None, Field(ge=1), Param(unit="stages", gpus="each", examples=(2,))
    ] = None
    """Stages that the layers are distributed over."""

    data_parallel_size: Annotated[
        int | None, Field(ge=1), Param(unit="replicas", examples=(1,))
    ] = None
    """Number of engine replicas. The offline engine refuses more than one unless an external
    launcher, which llem does not use, starts them."""

    prefill_context_parallel_size: Annotated[
        int | None, Field(ge=1), Param(unit="devices", gpus="each", examples=(2,))
    ] = None
    """Devices that share the positions of a prompt."""

    decode_context_parallel_size: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="devices",
            requires={"vllm.tensor_parallel_size": IS_SET},
            example_context={"vllm.tensor_parallel_size": 2},
            neutral=(1,),
            examples=(2,),
        ),
    ] = None
    """Devices of a tensor-parallel group that share the KV cache by position."""

    dcp_comm_backend: Annotated[
        Literal["ag_rs", "a2a"] | None,
        Param(requires={"vllm.decode_context_parallel_size": IS_SET}, examples=("a2a",)),
    ] = None
    """How devices that share the KV cache by position exchange data."""

    dcp_q_replicate: Annotated[
        bool | None, Param(requires={"vllm.decode_context_parallel_size": IS_SET}, examples=(True,))
    ] = None
    """Whether each device that shares the KV cache by position projects all queries of latent
    attention, to save an exchange."""

    cp_kv_cache_interleave_size: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", examples=(16,))
    ] = None
    """Number of consecutive tokens on one device when the KV cache is shared by position."""

    distributed_executor_backend: Annotated[
        Literal["mp", "uni", "ray"] | None,
        Param(packages={"ray": ("ray",)}, examples=("mp", "uni")),
    ] = None
    """How worker processes are started."""

    enable_expert_parallel: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether MoE layers are split by expert instead of within each expert."""

    expert_placement_strategy: Annotated[
        Literal["linear", "round_robin"] | None,
        Param(
            requires={"vllm.enable_expert_parallel": True},
            neutral=("linear",),
            examples=("round_robin",),
        ),
    ] = None
    """Initial placement of experts on devices."""

    all2all_backend: Annotated[
        All2AllBackend | None,
        Param(
            requires={"vllm.enable_expert_parallel": True},
            neutral=("allgather_reducescatter",),
            examples=("deepep_low_latency",),
        ),
    ] = None
    """How tokens reach their experts on other devices."""

    enable_ep_weight_filter: Annotated[
        bool | None,
        Param(requires={"vllm.enable_expert_parallel": True}, neutral=(False,), examples=(True,)),
    ] = None
    """Whether each device reads only its own experts from disk."""

    enable_eplb: Annotated[
        bool | None,
        Param(
            requires={"vllm.enable_expert_parallel": True},
            example_context={"vllm.tensor_parallel_size": 2},
            neutral=(False,),
            examples=(True,),
        ),
    ] = None
    """Whether experts are rebalanced during the run."""

    eplb_config: ExpertBalance | None = None
    """Settings of the rebalancing of experts."""

    enable_dbo: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether a batch is split in two, to overlap computation and communication."""

    ubatch_size: Annotated[int | None, Field(ge=0), Param(unit="batches", examples=(2,))] = None
    """Number of micro-batches; 0 leaves it to vLLM."""

    dbo_decode_token_threshold: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="tokens", requires={"vllm.enable_dbo": True}, neutral=(32,), examples=(64,)),
    ] = None
    """Number of tokens above which a decode step is split."""

    dbo_prefill_token_threshold: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="tokens", requires={"vllm.enable_dbo": True}, neutral=(512,), examples=(1024,)),
    ] = None
    """Number of tokens above which a step with prompts is split."""

    disable_custom_all_reduce: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether NCCL, not vLLM's kernel, sums partial results."""

    enable_batch_sharded_sampling: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether each device samples a part of the batch; unset leaves it to vLLM."""

    enable_hc_sp: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether hyper-connection layers are split by position."""

    numa_bind: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether each worker is bound to the cores and the memory next to its device."""

    numa_bind_nodes: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...] | None,
        Param(requires={"vllm.numa_bind": True}, examples=((0, 0),)),
    ] = None
    """NUMA node of each worker."""

    numa_bind_cpus: Annotated[
        tuple[str, ...] | None,
        Param(requires={"vllm.numa_bind": True}, examples=(("0-7", "8-15"),)),
    ] = None
    """Cores of each worker, as ranges."""

    device_ids: Annotated[tuple[int | str, ...] | None, Param(examples=((0, 1),))] = None
    """Devices to use, by number or UUID; unset takes the first visible ones."""
