"""Numbers of devices that must fit together."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem_vllm.config import VLLMFields


def _several_replicas(experiment: Experiment, section: VLLMFields) -> bool:
    return (section.data_parallel_size or 1) > 1


def _uneven_context_groups(experiment: Experiment, section: VLLMFields) -> bool:
    return (section.tensor_parallel_size or 1) % (section.decode_context_parallel_size or 1) != 0


def _balance_on_one_device(experiment: Experiment, section: VLLMFields) -> bool:
    sizes = (section.tensor_parallel_size, section.prefill_context_parallel_size)
    return section.enable_eplb is True and all((size or 1) == 1 for size in sizes)


PARALLELISM_RULES: tuple[Rule[VLLMFields], ...] = (
    Rule(
        name="vllm-offline-engine-is-one-replica",
        fields=("vllm.data_parallel_size",),
        reason="the offline engine runs one replica; only an external launcher, which llem does "
        "not use, starts others",
        hint="Remove vllm.data_parallel_size, or use vllm.tensor_parallel_size.",
        violated=_several_replicas,
    ),
    Rule(
        name="vllm-context-groups-divide-tensor-groups",
        fields=("vllm.decode_context_parallel_size", "vllm.tensor_parallel_size"),
        reason="it does not divide the number of devices of a tensor-parallel group",
        hint="Use a divisor of vllm.tensor_parallel_size.",
        violated=_uneven_context_groups,
    ),
    Rule(
        name="vllm-expert-balance-needs-devices",
        fields=(
            "vllm.enable_eplb",
            "vllm.tensor_parallel_size",
            "vllm.prefill_context_parallel_size",
        ),
        reason="a single device has nothing to balance",
        hint="Raise vllm.tensor_parallel_size, or remove vllm.enable_eplb.",
        violated=_balance_on_one_device,
    ),
)
"""Rules of parallelism."""
