"""Combinations vLLM refuses, each with its reason and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from llem.api.config import Experiment, Rule

if TYPE_CHECKING:
    from llem_vllm.config import VllmConfig


def section_of(experiment: Experiment) -> VllmConfig:
    """Return the experiment's section of this backend."""
    return cast("VllmConfig", experiment.section)


def _fewer_tokens_than_requests(experiment: Experiment) -> bool:
    section = section_of(experiment)
    tokens, requests = section.max_num_batched_tokens, section.max_num_seqs
    return tokens is not None and requests is not None and tokens < requests


def _prompt_longer_than_step(experiment: Experiment) -> bool:
    section = section_of(experiment)
    step, longest = section.max_num_batched_tokens, section.max_model_len
    unchunked = section.enable_chunked_prefill is False
    return unchunked and step is not None and longest is not None and step < longest


RULES = (
    Rule(
        name="vllm-step-holds-every-request",
        fields=("vllm.max_num_batched_tokens", "vllm.max_num_seqs"),
        reason="a step gives each running request at least one token",
        remedy="Raise vllm.max_num_batched_tokens to vllm.max_num_seqs or more.",
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
        remedy="Raise vllm.max_num_batched_tokens to vllm.max_model_len, or allow chunked prefill.",
        violated=_prompt_longer_than_step,
    ),
    Rule(
        name="vllm-reads-no-gguf",
        fields=("model.gguf_file",),
        reason="this vLLM has no loader for GGUF files",
        remedy="Use the original checkpoint.",
        violated=lambda experiment: experiment.model.gguf_file is not None,
    ),
)
"""Every rule of the backend."""
