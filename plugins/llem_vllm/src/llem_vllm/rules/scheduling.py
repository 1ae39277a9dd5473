"""Limits of the scheduler that have to fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule

if TYPE_CHECKING:
    from llem_vllm.config import VLLMConfig


def _fewer_tokens_than_requests(experiment: Experiment, section: VLLMConfig) -> bool:
    tokens, requests = section.max_num_batched_tokens, section.max_num_seqs
    return tokens is not None and requests is not None and tokens < requests


def _prompt_longer_than_step(experiment: Experiment, section: VLLMConfig) -> bool:
    step, longest = section.max_num_batched_tokens, section.max_model_len
    unchunked = section.enable_chunked_prefill is False
    return unchunked and step is not None and longest is not None and step < longest


def _longest(length: object) -> int | None:
    """Return the greatest value of a ``Length``, as far as it is written down."""
    if isinstance(length, int):
        return length
    return getattr(length, "high", None) or getattr(length, "max", None)


def _workload_longer_than_context(experiment: Experiment, section: VLLMConfig) -> bool:
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


SCHEDULING_RULES: tuple[Rule[VLLMConfig], ...] = (
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
        reason="without chunked prefill the longest prompt has to fit into one step",
        hint="Raise vllm.max_num_batched_tokens to vllm.max_model_len, or allow chunked prefill.",
        violated=_prompt_longer_than_step,
    ),
    Rule(
        name="vllm-request-fits-the-context",
        fields=("vllm.max_model_len", "workload.output_tokens"),
        reason="the longest prompt and its output do not fit into it",
        hint="Raise vllm.max_model_len, or shorten the workload.",
        violated=_workload_longer_than_context,
    ),
    Rule.at_most(
        "vllm.max_num_active_seqs",
        "vllm.max_num_seqs",
        name="vllm-active-requests-fit-a-step",
        reason="no more requests can be active than a step has room for",
    ),
    Rule.at_most(
        "vllm.long_prefill_token_threshold",
        "vllm.max_model_len",
        name="vllm-long-prefill-fits-the-context",
        reason="no prompt is that long",
    ),
    Rule.at_most(
        "vllm.offload_num_in_group",
        "vllm.offload_group_size",
        name="vllm-offloaded-layers-fit-their-group",
        reason="a group has no more layers than its size",
    ),
)
"""Rules of scheduling and of the groups of offloaded layers."""
