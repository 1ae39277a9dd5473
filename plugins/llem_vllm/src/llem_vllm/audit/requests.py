"""Arguments of requests, and of the calls that run them, that no field exposes."""

from __future__ import annotations

from llem.api.parameter_audit import Surface

_PROGRESS = "a progress bar would be work inside the window"
_ADAPTER = "no workload names LoRA adapters yet"
_DERIVED = "vLLM derives it"
_CONTENT = "changes the text; passthrough_kwargs.sampling takes it"
_TEXT = "formats the text, which llem does not read"
_WATERMARK = "off: it would mark the text"

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
            "mm_processor_kwargs": "no workload has images, sound or video yet",
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
            **dict.fromkeys(
                (
                    "_all_stop_token_ids",
                    "_bad_words_token_ids",
                    "_eos_token_id",
                    "_watermarking_skipped",
                    "output_text_buffer_length",
                    "skip_clone",
                ),
                _DERIVED,
            ),
        },
        excluded={
            **dict.fromkeys(
                (
                    "allowed_token_ids",
                    "bad_words",
                    "extra_args",
                    "logit_bias",
                    "repetition_detection",
                    "structured_outputs",
                    "thinking_token_budget",
                    "trace_decode_token_ids",
                ),
                _CONTENT,
            ),
            **dict.fromkeys(
                (
                    "flat_logprobs",
                    "logprob_token_ids",
                    "prompt_logprob_start",
                    "prompt_logprob_token_ids",
                    "routed_experts_prompt_start",
                ),
                "returns more than token ids",
            ),
            **dict.fromkeys(
                (
                    "include_stop_str_in_output",
                    "skip_special_tokens",
                    "spaces_between_special_tokens",
                ),
                _TEXT,
            ),
            "stream_interval": "vllm.stream_interval sets it for all requests",
            "watermarking": _WATERMARK,
        },
    ),
    Surface(
        name="vllm.BeamSearchParams",
        at=("sampling",),
        excluded={
            **dict.fromkeys(("include_stop_str_in_output", "skip_special_tokens"), _TEXT),
            "structured_outputs": _CONTENT,
            "watermarking": _WATERMARK,
        },
    ),
)
"""The surfaces of requests."""
