"""Limits of the scheduler that must fit together."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem_vllm.config import VLLMFields


def _fewer_tokens_than_requests(experiment: Experiment, section: VLLMFields) -> bool:
    tokens, requests = section.max_num_batched_tokens, section.max_num_seqs
    return tokens is not None and requests is not None and tokens < requests


def _prompt_longer_than_step(experiment: Experiment, section: VLLMFields) -> bool:
    step, longest = section.max_num_batched_tokens, section.max_model_len
    unchunked = section.enable_chunked_prefill is False
    return unchunked and step is not None and longest is not None and step < longest


def _longest(length: object) -> int | None:
    """Return the greatest value of a ``Length``; ``None`` for a distribution without bounds."""
    if isinstance(length, int):
        return length
    return getattr(length, "high", None) or getattr(length, "max", None)


def _workload_longer_than_context(experiment: Experiment, section: VLLMFields) -> bool:
    context = section.max_model_len
    if context is None or experiment.workload.source != "synthetic":
        return False
    workload = experiment.workload
    prompt, output = _longest(workload.input_tokens), _longest(workload.output_tokens)
    if prompt is None or output is None:
        return False
    prompt = min(prompt, workload.max_input_tokens or prompt)
    output = min(output, experiment.decoder.max_new_tokens or output)
    return prompt + output > context


def _more_offloaded_layers_than_a_group(experiment: Experiment, section: VLLMFields) -> bool:
    group, offloaded = section.offload_group_size, section.offload_num_in_group
    # A group of 0 layers means that none is offloaded.
    return bool(group) and offloaded is not None and offloaded > (group or 0)


SCHEDULING_RULES: tuple[Rule[VLLMFields], ...] = (
    Rule(
        name="vllm-step-holds-every-request",
        fields=("vllm.max_num_batched_tokens", "vllm.max_num_seqs"),
        reason="a step gives each running request at least one token",
        hint="Raise vllm.max_num_batched_tokens to vllm.max_num_seqs or more.",
        violated=_fewer_tokens_than_requests,
    ),
    Rule(
        name="vllm-unchunked-prompt-fits-a-step",
        fields=(
            "vllm.max_num_batched_tokens",
            "vllm.max_model_len",
            "vllm.enable_chunked_prefill",
        ),
        reason="without chunked prefill, the longest prompt must fit into one step",
        hint="Raise vllm.max_num_batched_tokens to vllm.max_model_len, or allow chunked prefill.",
        violated=_prompt_longer_than_step,
    ),
    Rule(
        name="vllm-request-fits-the-context",
        fields=("vllm.max_model_len", "workload.output_tokens"),
        reason="the longest prompt and its output exceed it",
        hint="Raise vllm.max_model_len, or shorten the workload.",
        violated=_workload_longer_than_context,
    ),
    Rule.at_most(
        "vllm.max_num_active_seqs",
        "vllm.max_num_seqs",
        name="vllm-active-requests-fit-a-step",
        reason="a step has room for fewer requests",
    ),
    Rule.at_most(
        "vllm.long_prefill_token_threshold",
        "vllm.max_model_len",
        name="vllm-long-prefill-fits-the-context",
        reason="every prompt is shorter",
    ),
    Rule(
        name="vllm-offloaded-layers-fit-their-group",
        fields=("vllm.offload_num_in_group", "vllm.offload_group_size"),
        reason="a group has fewer layers",
        hint="Lower vllm.offload_num_in_group, or raise vllm.offload_group_size.",
        violated=_more_offloaded_layers_than_a_group,
    ),
)
"""Rules of scheduling and of groups of offloaded layers."""
