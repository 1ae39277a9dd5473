"""What became of the parameters of generating."""

from __future__ import annotations

from llem.api.parameter_audit import Surface

_CODE = "a function, and a config is data"
_ENCODER = "only encoder-decoder models have it"
_HUB = "moved to code on the hub, which generate() would download and execute"
_KEPT = "returns tensors that no measurement looks at, at the cost of memory"
_METADATA = "written by the library into its own files"
_GUIDANCE = "needs a second workload of negative prompts; guidance_scale works without"
_CACHES = ("dynamic", "static", "offloaded", "offloaded_static", "quantized")
_DEPRECATED_CACHES = (
    "hybrid",
    "hybrid_chunked",
    "offloaded_hybrid",
    "offloaded_hybrid_chunked",
    "sliding_window",
)

SURFACES = (
    Surface(
        name="transformers.PreTrainedModel.generate",
        at=("generate",),
        owned={
            "assistant_model": "loaded from pytorch.assistant_model",
            "assistant_tokenizer": "loaded from pytorch.assistant_tokenizer",
            "tokenizer": "loaded from model.tokenizer where text is involved",
            "trust_remote_code": "no code of the hub is asked to generate",
        },
        excluded={
            "custom_generate": "replaces the very loop that is measured by other code",
            "logits_processor": _CODE,
            "negative_prompt_attention_mask": _GUIDANCE,
            "negative_prompt_ids": _GUIDANCE,
            "prefix_allowed_tokens_fn": _CODE,
            "synced_gpus": "set by the library itself where several processes need it",
        },
    ),
    Surface(
        name="transformers.GenerationConfig",
        at=("generate", "draft_settings"),
        owned={
            "compile_config": "the call compile does it, for prompts and any cache alike",
        },
        excluded={
            "bos_token_id": "prompts are token ids, complete",
            "constraints": _HUB,
            "continuous_batching_config": "deprecated here; pytorch.continuous_batching",
            "decoder_start_token_id": _ENCODER,
            "diversity_penalty": _HUB,
            "dola_layers": _HUB,
            "force_bos_token_to_be_generated": _METADATA,
            "force_words_ids": _HUB,
            "forced_bos_token_id": "acts on a first token without a prompt, which does not occur",
            "forced_eos_token_id": "names the last token and changes neither time nor length",
            "is_assistant": "set by the library for the drafting model",
            "low_memory": "deprecated; beam search with it fails",
            "num_beam_groups": _HUB,
            "output_attentions": _KEPT,
            "output_hidden_states": _KEPT,
            "output_logits": _KEPT,
            "output_scores": _KEPT,
            "penalty_alpha": _HUB,
            "token_healing": "changes the prompt, and every backend gets the same token ids",
            "transformers_version": _METADATA,
        },
    ),
    Surface(
        name="values of cache_implementation",
        at=("generate.cache_implementation",),
        owned={
            **dict.fromkeys(_CACHES, "a value of pytorch.cache_implementation"),
            "paged": "pytorch.batching: continuous, which it is another way into",
        },
        excluded=dict.fromkeys(_DEPRECATED_CACHES, "a deprecated name of static"),
    ),
    Surface(
        name="transformers.QuantizedCache",
        at=("generate.cache_config",),
        owned={"config": "that of the model"},
    ),
    Surface(name="transformers.WatermarkingConfig", at=("generate.watermarking_config",)),
    Surface(
        name="transformers.PreTrainedModel.generate_batch",
        at=("generate",),
        owned={
            "persistent_manager": "no: what one repetition has cached must not serve the next",
            "record_timestamps": "yes: they are the times of the tokens",
            "warmup": "yes on CUDA, where it captures graphs; nothing to do on the CPU",
        },
        excluded={"progress_bar": "prints while measuring"},
    ),
    Surface(
        name="transformers.ContinuousBatchingConfig",
        at=("generate.continuous_batching_config",),
        owned={"seed": "decoder.seed"},
        excluded={
            "block_size": "deprecated; page_size",
            "cpu_group_timeout": "how long processes wait for each other; there is one",
            "decode_compile_config": "its presets are default_compile_level",
            "disable_nccl_graph_mixing": "a safety net between processes; there is one",
            "drop_unsupported_processors": "decoding that it would drop is refused",
            "max_cached_graphs": "deprecated; it changes nothing",
            "max_queue_size": "limits how many requests may wait, and all of them may",
            "per_request_processors": "all requests of an experiment are decoded alike",
            "return_logprobs": _KEPT,
            "use_default_compile_configs": "deprecated; default_compile_level",
            "varlen_compile_config": "its presets are default_compile_level",
        },
    ),
)
"""Surfaces of generating."""
