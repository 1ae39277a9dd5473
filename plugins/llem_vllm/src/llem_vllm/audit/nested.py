"""Arguments of vLLM's nested configs."""

from __future__ import annotations

from llem.api.parameter_audit import Surface
from llem_vllm.audit.reasons import because

_TWICE = "EngineArgs has it as well, where a field exposes it, and vLLM refuses both"
_OBJECT = "an object that its own fields make"
_ENCODER = "images and video have no workload yet"
_RUN_TIME = "vLLM fills it in"

NESTED = (
    Surface(
        name="vllm.CompilationConfig",
        at=("load.compilation_config",),
        owned=because(_OBJECT, "dynamic_shapes_config", "pass_config"),
        excluded={
            **because(_TWICE, "cudagraph_capture_sizes", "max_cudagraph_capture_size"),
            **because(
                _ENCODER,
                "compile_mm_encoder",
                "cudagraph_mm_encoder",
                "encoder_cudagraph_max_frames_per_batch",
                "encoder_cudagraph_max_vision_items_per_batch",
                "encoder_cudagraph_token_budgets",
            ),
            **because(
                "where compiled code is kept, not what it does",
                "cache_dir",
                "compile_cache_save_format",
                "debug_dump_path",
            ),
            **because(
                "of one family of models, whose layers share a cache",
                "cudagraph_decoder_replay",
                "decoder_replay_cudagraph_capture_sizes",
                "decoder_replay_trim_threshold",
            ),
            "cudagraph_specialize_lora": "no workload names LoRA adapters yet",
            "inductor_passes": "needs code of the user's own, which a config may not name",
        },
    ),
    Surface(name="vllm.PassConfig", at=("load.compilation_config.pass_config",)),
    Surface(name="vllm.DynamicShapesConfig", at=("load.compilation_config.dynamic_shapes_config",)),
    Surface(
        name="vllm.SpeculativeConfig",
        at=("load.speculative_config",),
        excluded={
            **because(
                _RUN_TIME,
                "draft_model_config",
                "draft_parallel_config",
                "target_model_config",
                "target_parallel_config",
            ),
            "draft_load_config": "the draft is read like the model",
            "tensor_parallel_size": "vLLM has it only to refuse it; draft_tensor_parallel_size is "
            "meant",
        },
    ),
    Surface(
        name="vllm.AttentionConfig",
        at=("load.attention_config",),
        excluded={
            "backend": _TWICE,
            "backend_per_kind": "no name tells which kinds of attention a model has",
            "hisparse_config": "of one family of models",
            "indexer_sparse_logits": "of one family of models",
            "minimax_m3_msa_decode_backend": "of one family of models",
            "use_non_causal": "not text generation by a decoder",
        },
    ),
    Surface(
        name="vllm.KernelConfig",
        at=("load.kernel_config",),
        excluded={
            **because(
                _TWICE,
                "enable_flashinfer_autotune",
                "ir_op_priority",
                "linear_backend",
                "moe_backend",
                "sparse_indexer_topk_backend",
            ),
            "enable_cutedsl_warmup": "vLLM is about to remove it; enable_jit_warmup took its place",
        },
    ),
    Surface(name="vllm.IrOpPriorityConfig", at=("load.ir_op_priority",)),
    Surface(
        name="vllm.EPLBConfig",
        at=("load.eplb_config",),
        excluded={
            **because("writes into the log only", "log_balancedness", "log_balancedness_interval"),
            "policy": "vLLM has one",
        },
    ),
    Surface(
        name="vllm.QuantizationConfigArgs",
        at=("load.quantization_config",),
        owned=because(_OBJECT, "linear", "moe"),
    ),
    Surface(
        name="vllm.QuantSpec",
        at=("load.quantization_config.linear", "load.quantization_config.moe"),
    ),
)
"""The surfaces of nested configs."""
