"""Parallel sizes that must fit together."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_trt.config import TrtFields


def _experts_on_other_devices(experiment: Experiment, section: TrtFields) -> bool:
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
    # The engine derives the sizes that are not set.
    return product != devices if None not in sizes[:2] else devices % product != 0


def _slots_that_do_not_divide(experiment: Experiment, section: TrtFields) -> bool:
    balancer = section.experts.load_balancer if section.experts is not None else None
    if balancer is None or balancer.num_slots is None:
        return False
    return balancer.num_slots % (section.moe_expert_parallel_size or 1) != 0


def _stages_without_layers(experiment: Experiment, section: TrtFields) -> bool:
    stages = section.pipeline_parallel_size or 1
    return section.pp_partition is not None and len(section.pp_partition) != stages


def _context_of_one_rank(experiment: Experiment, section: TrtFields) -> bool:
    single = section.context_parallel_size in (None, 1)
    return single and acts(experiment, "trt.context_parallel")


def _attention_dp_of_one_rank(experiment: Experiment, section: TrtFields) -> bool:
    return section.enable_attention_dp is True and section.tensor_parallel_size in (None, 1)


PARALLEL_RULES: tuple[Rule[TrtFields], ...] = (
    Rule(
        name="trt-experts-fill-the-devices",
        fields=(
            "trt.moe_expert_parallel_size",
            "trt.moe_tensor_parallel_size",
            "trt.moe_cluster_parallel_size",
            "trt.tensor_parallel_size",
        ),
        reason="the expert sizes multiplied must give the tensor parallel size",
        hint="Change the sizes.",
        violated=_experts_on_other_devices,
    ),
    Rule(
        name="trt-expert-slots-divide",
        fields=("trt.experts.load_balancer.num_slots", "trt.moe_expert_parallel_size"),
        reason="the engine spreads slots evenly, and their number is no multiple of the expert "
        "parallel size",
        hint="Use a multiple.",
        violated=_slots_that_do_not_divide,
    ),
    Rule(
        name="trt-every-stage-has-layers",
        fields=("trt.pp_partition", "trt.pipeline_parallel_size"),
        reason="it must list a number of layers for each stage",
        hint="Make it as long as trt.pipeline_parallel_size.",
        violated=_stages_without_layers,
    ),
    Rule(
        name="trt-context-parallel-needs-ranks",
        fields=("trt.context_parallel", "trt.context_parallel_size"),
        reason="one rank cannot share a sequence",
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
