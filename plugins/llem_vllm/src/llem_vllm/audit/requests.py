"""Arguments of a request and of the calls that run requests."""

from __future__ import annotations

from llem.api.parameter_audit import Surface
from llem_vllm.audit.reasons import because

_PROGRESS = "a progress bar would be drawn inside the window"
_ADAPTER = "no workload names LoRA adapters yet"
_DERIVED = "derived by vLLM itself"
_CONTENT = "changes what the text says; passthrough_kwargs.sampling takes it"
_TEXT = "the spelling of the text, which llem does not read"
_WATERMARK = "marks the text, and is off"

REQUESTS = (
    Surface(
        name="vllm.LLM.generate",
        at=("generate",),
        owned={
            "prompts": "the workload's token ids",
            "sampling_params": "one for each request",
            "use_tqdm": _PROGRESS,
        },
        excluded={
            "lora_request": _ADAPTER,
            "mm_processor_kwargs": "images, sound and video have no workload yet",
            "priority": "all requests of a workload have the same priority",
            "tokenization_kwargs": "prompts are token ids already",
        },
    ),
    Surface(
        name="vllm.LLM.beam_search",
        at=("generate",),
        owned={
            "prompts": "the workload's token ids",
            "params": "one for all requests",
            "use_tqdm": _PROGRESS,
        },
        excluded={"lora_request": _ADAPTER},
    ),
    Surface(
        name="vllm.SamplingParams",
        at=("sampling",),
        owned={
            "output_kind": "LLM.generate asks for the final output only",
            **because(
                _DERIVED,
                "_all_stop_token_ids",
                "_bad_words_token_ids",
                "_eos_token_id",
                "_watermarking_skipped",
                "output_text_buffer_length",
                "skip_clone",
            ),
        },
        excluded={
            **because(
                _CONTENT,
                "allowed_token_ids",
                "bad_words",
                "extra_args",
                "logit_bias",
                "repetition_detection",
                "structured_outputs",
                "thinking_token_budget",
                "trace_decode_token_ids",
            ),
            **because(
                "returns more than token ids",
                "flat_logprobs",
                "logprob_token_ids",
                "prompt_logprob_start",
                "prompt_logprob_token_ids",
                "routed_experts_prompt_start",
            ),
            **because(
                _TEXT,
                "include_stop_str_in_output",
                "skip_special_tokens",
                "spaces_between_special_tokens",
            ),
            "stream_interval": "vllm.stream_interval sets it for all requests",
            "watermarking": _WATERMARK,
        },
    ),
    Surface(
        name="vllm.BeamSearchParams",
        at=("sampling",),
        excluded={
            **because(_TEXT, "include_stop_str_in_output", "skip_special_tokens"),
            "structured_outputs": _CONTENT,
            "watermarking": _WATERMARK,
        },
    ),
)
"""The surfaces of requests."""
