"""Arguments of vLLM's nested configs that no field exposes, with the reasons."""

from __future__ import annotations

from llem.api.parameter_audit import Surface

_TWICE = "a field sets it in EngineArgs, and vLLM refuses it in both places"
_ENCODER = "no workload has images or video yet"
_RUN_TIME = "vLLM sets it"

NESTED = (
    Surface(
        name="vllm.CompilationConfig",
        at=("load.compilation_config",),
        excluded={
            **dict.fromkeys(("cudagraph_capture_sizes", "max_cudagraph_capture_size"), _TWICE),
            **dict.fromkeys(
                (
                    "compile_mm_encoder",
                    "cudagraph_mm_encoder",
                    "encoder_cudagraph_max_frames_per_batch",
                    "encoder_cudagraph_max_vision_items_per_batch",
                    "encoder_cudagraph_token_budgets",
                ),
                _ENCODER,
            ),
            **dict.fromkeys(
                ("cache_dir", "compile_cache_save_format", "debug_dump_path"),
                "where compiled code is stored, not what it computes",
            ),
            **dict.fromkeys(
                (
                    "cudagraph_decoder_replay",
                    "decoder_replay_cudagraph_capture_sizes",
                    "decoder_replay_trim_threshold",
                ),
                "for one family of models, whose layers share a cache",
            ),
            "cudagraph_specialize_lora": "no workload names LoRA adapters yet",
            "inductor_passes": "takes code of the user, which a config cannot hold",
        },
    ),
    Surface(name="vllm.PassConfig", at=("load.compilation_config.pass_config",)),
    Surface(name="vllm.DynamicShapesConfig", at=("load.compilation_config.dynamic_shapes_config",)),
    Surface(
        name="vllm.SpeculativeConfig",
        at=("load.speculative_config",),
        excluded={
            **dict.fromkeys(
                (
                    "draft_model_config",
                    "draft_parallel_config",
                    "target_model_config",
                    "target_parallel_config",
                ),
                _RUN_TIME,
            ),
            "draft_load_config": "the draft is loaded like the model",
            "tensor_parallel_size": "vLLM always refuses it; draft_tensor_parallel_size is meant",
        },
    ),
    Surface(
        name="vllm.AttentionConfig",
        at=("load.attention_config",),
        excluded={
            "backend": _TWICE,
            "backend_per_kind": "depends on the kinds of attention in the model",
            "hisparse_config": "for one family of models",
            "indexer_sparse_logits": "for one family of models",
            "minimax_m3_msa_decode_backend": "for one family of models",
            "use_non_causal": "not text generation by a decoder",
        },
    ),
    Surface(
        name="vllm.KernelConfig",
        at=("load.kernel_config",),
        excluded={
            **dict.fromkeys(
                (
                    "enable_flashinfer_autotune",
                    "ir_op_priority",
                    "linear_backend",
                    "moe_backend",
                    "sparse_indexer_topk_backend",
                ),
                _TWICE,
            ),
            "enable_cutedsl_warmup": "vLLM is about to remove it; enable_jit_warmup replaces it",
        },
    ),
    Surface(name="vllm.IrOpPriorityConfig", at=("load.ir_op_priority",)),
    Surface(
        name="vllm.EPLBConfig",
        at=("load.eplb_config",),
        excluded={
            **dict.fromkeys(
                ("log_balancedness", "log_balancedness_interval"), "writes to the log only"
            ),
            "policy": "vLLM has only one",
        },
    ),
    Surface(
        name="vllm.QuantizationConfigArgs",
        at=("load.quantization_config",),
    ),
    Surface(
        name="vllm.QuantSpec",
        at=("load.quantization_config.linear", "load.quantization_config.moe"),
    ),
)
"""The surfaces of nested configs."""
