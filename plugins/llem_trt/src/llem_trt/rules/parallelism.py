"""Sizes that must divide one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule

if TYPE_CHECKING:
    from llem_trt.config.trt import TrtConfig


def _experts_on_other_devices(experiment: Experiment, section: TrtConfig) -> bool:
    sizes = (
        section.moe_tensor_parallel_size,
        section.moe_expert_parallel_size,
        section.moe_cluster_parallel_size,
    )
    # With context parallelism, whose ranks may hold experts too, the engine counts otherwise.
    if section.context_parallel_size not in (None, 1) or all(size is None for size in sizes):
        return False
    devices = section.tensor_parallel_size or 1
    product = 1
    for size in sizes:
        product *= size or 1
    # The engine works out those that are not given, if it can.
    return product != devices if None not in sizes[:2] else devices % product != 0


def _slots_that_do_not_divide(experiment: Experiment, section: TrtConfig) -> bool:
    balancer = section.experts.load_balancer if section.experts is not None else None
    if balancer is None or balancer.num_slots is None:
        return False
    return balancer.num_slots % (section.moe_expert_parallel_size or 1) != 0


def _stages_without_layers(experiment: Experiment, section: TrtConfig) -> bool:
    stages = section.pipeline_parallel_size or 1
    return section.pp_partition is not None and len(section.pp_partition) != stages


def _context_of_one_rank(experiment: Experiment, section: TrtConfig) -> bool:
    return section.context_parallel is not None and section.context_parallel_size in (None, 1)


def _attention_dp_of_one_rank(experiment: Experiment, section: TrtConfig) -> bool:
    return section.enable_attention_dp is True and section.tensor_parallel_size in (None, 1)


PARALLEL_RULES = (
    Rule(
        name="trt-experts-fill-the-devices",
        fields=(
            "trt.moe_expert_parallel_size",
            "trt.moe_tensor_parallel_size",
            "trt.moe_cluster_parallel_size",
            "trt.tensor_parallel_size",
        ),
        reason="the expert sizes multiplied must give the tensor parallel size",
        hint="Change them so that they do.",
        violated=_experts_on_other_devices,
    ),
    Rule(
        name="trt-expert-slots-divide",
        fields=("trt.experts.load_balancer.num_slots", "trt.moe_expert_parallel_size"),
        reason="slots are spread evenly, and their number is no multiple of the expert parallel "
        "size",
        hint="Use a multiple.",
        violated=_slots_that_do_not_divide,
    ),
    Rule(
        name="trt-every-stage-has-layers",
        fields=("trt.pp_partition", "trt.pipeline_parallel_size"),
        reason="it must list one number of layers for each stage",
        hint="Make it as long as trt.pipeline_parallel_size.",
        violated=_stages_without_layers,
    ),
    Rule(
        name="trt-context-parallel-needs-ranks",
        fields=("trt.context_parallel", "trt.context_parallel_size"),
        reason="with one rank there is nothing to share a sequence with",
        hint="Set trt.context_parallel_size above 1, or remove trt.context_parallel.",
        violated=_context_of_one_rank,
    ),
    Rule(
        name="trt-attention-dp-needs-ranks",
        fields=("trt.enable_attention_dp", "trt.tensor_parallel_size"),
        reason="with one rank it changes nothing",
        hint="Set trt.tensor_parallel_size above 1, or remove trt.enable_attention_dp.",
        violated=_attention_dp_of_one_rank,
        severity="warning",
    ),
)
"""Rules about parallelism."""
