"""Weights that vLLM cannot load as requested, and arguments that it has removed."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem_vllm.config import VLLMFields

PREPARED = (
    "awq", "auto_awq", "awq_marlin", "gptq", "auto_gptq", "gptq_marlin", "compressed-tensors",
    "modelopt", "modelopt_fp4", "modelopt_mxfp8", "modelopt_mixed", "quark", "moe_wna16",
    "gpt_oss_mxfp4", "deepseek_v4_fp8", "humming", "fp_quant", "fbgemm_fp8",
)  # fmt: skip
"""Methods that need a checkpoint with quantized weights."""

DEPRECATED = ("fbgemm_fp8", "fp_quant")
"""Methods that vLLM is about to remove and accepts only on request."""

REMOVED = {
    "load": {
        "swap_space": "vLLM no longer swaps; vllm.kv_offloading_size moves blocks to host memory",
        "num_scheduler_steps": "vllm.async_scheduling replaces it",
        "max_seq_len_to_capture": "vllm.max_cudagraph_capture_size replaces it",
        "guided_decoding_backend": "structured_outputs_config replaces it",
        "rope_scaling": "hf_overrides replaces it",
    },
    "sampling": {
        "best_of": "vLLM generates as many outputs as it returns",
        "use_beam_search": "vllm.beam_search replaces it",
        "length_penalty": "vllm.beam_search.length_penalty replaces it",
        "early_stopping": "beam search of vLLM has no such setting",
        "guided_decoding": "structured_outputs replaces it",
        "truncate_prompt_tokens": "workload.max_input_tokens truncates prompts for every backend",
        "logits_processors": "vLLM takes them when it loads",
    },
}
"""Arguments that earlier versions had, by call, with their replacements."""


def _gguf(experiment: Experiment, section: VLLMFields) -> bool:
    return experiment.model.gguf_file is not None


def _random_read_from_files(experiment: Experiment, section: VLLMFields) -> bool:
    load_format = section.load_format
    return experiment.model.random_weights and load_format not in (None, "dummy")


def _dummy_but_pretrained(experiment: Experiment, section: VLLMFields) -> bool:
    return section.load_format == "dummy" and not experiment.model.random_weights


def _prepared_but_random(experiment: Experiment, section: VLLMFields) -> bool:
    return experiment.model.random_weights and section.quantization in PREPARED


def _unmarked_deprecated(experiment: Experiment, section: VLLMFields) -> bool:
    return section.quantization in DEPRECATED and section.allow_deprecated_quantization is not True


def _torchao(experiment: Experiment, section: VLLMFields) -> bool:
    return section.quantization == "torchao" and experiment.model.random_weights


def _removed(call: str, argument: str, reason: str) -> Rule[VLLMFields]:
    def violated(experiment: Experiment, section: VLLMFields) -> bool:
        return argument in experiment.passthrough_kwargs.get(call, {})

    return Rule(
        name=f"vllm-removed-{argument.replace('_', '-')}",
        fields=("passthrough_kwargs",),
        reason=f"this vLLM has removed {argument}: {reason}",
        hint=f"Remove it from passthrough_kwargs.{call}.",
        violated=violated,
    )


LOADING_RULES: tuple[Rule[VLLMFields], ...] = (
    Rule(
        name="vllm-reads-no-gguf",
        fields=("model.gguf_file",),
        reason="this vLLM has no loader for GGUF files",
        hint="Use the original checkpoint.",
        violated=_gguf,
    ),
    Rule(
        name="vllm-random-weights-are-not-read",
        fields=("vllm.load_format", "model.weights"),
        reason="random weights are generated, not read",
        hint="Remove vllm.load_format.",
        violated=_random_read_from_files,
    ),
    Rule(
        name="vllm-dummy-weights-are-random",
        fields=("vllm.load_format", "model.weights"),
        reason="dummy weights are random, and the outcome would call them pretrained",
        hint="Set model.weights: random instead.",
        violated=_dummy_but_pretrained,
    ),
    Rule(
        name="vllm-quantization-needs-a-checkpoint",
        fields=("vllm.quantization", "model.weights"),
        reason="the method needs quantized weights, and random weights are not quantized",
        hint="Use a checkpoint prepared for it, or a method that quantizes while loading, such "
        "as fp8.",
        violated=_prepared_but_random,
    ),
    Rule(
        name="vllm-quantization-is-deprecated",
        fields=("vllm.quantization", "vllm.allow_deprecated_quantization"),
        reason="vLLM is about to remove the method, and accepts it only on request",
        hint="Set vllm.allow_deprecated_quantization: true, or use another method.",
        violated=_unmarked_deprecated,
    ),
    Rule(
        name="vllm-torchao-needs-settings",
        fields=("vllm.quantization", "model.weights"),
        reason="torchao takes its settings from the checkpoint, and random weights have none",
        hint="Use a checkpoint that torchao quantized.",
        violated=_torchao,
    ),
    *(
        _removed(call, argument, reason)
        for call, arguments in REMOVED.items()
        for argument, reason in arguments.items()
    ),
)
"""Rules of loading."""
