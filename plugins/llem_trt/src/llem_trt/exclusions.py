"""Parameters of TensorRT-LLM that llem leaves out on purpose, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping

Reasons = Mapping[str, str]

_ADAPTERS = "llem measures a model as it is, without adapters"
_DISAGGREGATED = "for disaggregated serving, which llem does not measure"
_MULTIMODAL = "for inputs other than text"
_OBJECT = "a Python object, which neither a config nor passthrough can hold"
_RAY = "Ray's workers run outside the worker process, where llem can neither meter nor end them"
_SERVER = "for the server; llem calls the engine itself"
_STATISTICS = "statistics of each iteration would be work inside the window"
_TRACING = "for tracing and debugging, which change the measurement"
_TOKENS = "llem passes and counts token ids"
_SLEEP = "for sharing a device in turns, which disturbs a measurement"
_SINGLE_MACHINE = "llem measures a single machine"
_LOADING = "acts while loading only, outside every window"
_MODEL = "would make another model than the named one"
_LAYOUT = "about reporting cache events, which llem does not read"

COMMON: Reasons = {
    "tokenizer_mode": _TOKENS,
    "custom_tokenizer": _TOKENS,
    "skip_tokenizer_init": "stop texts and end tokens need the tokenizer",
    "model_kwargs": _MODEL,
    "gpus_per_node": _SINGLE_MACHINE,
    "enable_lora": _ADAPTERS,
    "lora_config": _ADAPTERS,
    "peft_cache_config": _ADAPTERS,
    "batched_logits_processor": _OBJECT,
    "iter_stats_max_iterations": _STATISTICS,
    "request_stats_max_iterations": _STATISTICS,
    "cache_transceiver_config": _DISAGGREGATED,
    "gather_generation_logits": "returns logits, which no figure needs",
    "postprocess_tokenizer_dir": _SERVER,
    "reasoning_parser": _SERVER,
    "decoding_config": "deprecated; speculative_config replaces it",
    "mpi_session": _OBJECT,
    "otlp_traces_endpoint": _TRACING,
    "return_perf_metrics": "for the server; llem sets return_perf_metrics for each request",
    "perf_metrics_max_requests": _SERVER,
    "orchestrator_type": "llem can meter and end the workers of the default, MPI",
    "env_overrides": "runner.env sets environment variables, and the outcome records them",
}
"""Arguments that both executions have."""

PYTORCH: Reasons = {
    "sampler_force_async_worker": "for the engine's own tests",
    "enable_iter_perf_stats": _STATISTICS,
    "enable_iter_req_stats": _STATISTICS,
    "print_iter_log": "printing would be work inside the window",
    "enable_layerwise_nvtx_marker": _TRACING,
    "stream_interval": "nothing is streamed; times come from the engine's request metrics",
    "checkpoint_loader": _OBJECT,
    "checkpoint_format": "follows from the checkpoint",
    "kv_connector_config": "names a module of the user to import",
    "mm_encoder_only": _MULTIMODAL,
    "ray_worker_extension_cls": _RAY,
    "ray_placement_config": _RAY,
    "ray_worker_nsight_options": _RAY,
    "enable_sleep": _SLEEP,
    "sleep_config": _SLEEP,
    "max_stats_len": _STATISTICS,
    "layer_wise_benchmarks_config": _TRACING,
    "generation_config": "sampling follows the shared decoder section, not the model's defaults",
    "post_processor_hook": _SERVER,
    "kv_cache_compression_config": "a prototype whose classes the reference lacks",
    "num_serve_frontends": _SERVER,
    "perf_metrics_output_dir": _SERVER,
    "prometheus_metrics_config": _SERVER,
    "enable_energy_metrics": "for the server; llem meters the devices",
    "telemetry_config": "sends data about the run to the publisher",
    "encoder_cuda_graph_config": _MULTIMODAL,
    "enable_encoder_decoder_mixed_cuda_graph": "for encoder-decoder models",
    "multimodal_config": _MULTIMODAL,
    "dwdp_config": "a prototype whose class the reference lacks",
    "encoder_max_batch_size": _MULTIMODAL,
    "encoder_max_num_tokens": _MULTIMODAL,
    "enable_speculative_beam_history_d2h": "a prototype; about copying beam histories",
    "checkpoint_io_policy": _LOADING,
    "mx_config": _LOADING,
    "gms_config": _LOADING,
    "disable_mm_encoder": _MULTIMODAL,
    "encode_only": "for models that do not generate",
    "reorder_policy_config": "a prototype whose class the reference lacks",
    "enable_resource_governor": "changes limits during the run, so repetitions would differ",
}
"""Arguments of the PyTorch execution."""

TENSORRT: Reasons = {
    "enable_tqdm": "printing while building",
    "workspace": _LOADING,
    "fail_fast_on_attention_window_too_large": "about reporting an error",
    "enable_build_cache": _LOADING,
    "extended_runtime_perf_knob_config": "legacy tuning of an execution that is going away",
    "embedding_parallel_mode": "legacy tuning of an execution that is going away",
    "fast_build": _LOADING,
    "build_config": "trtllm-build builds engines, and trt.engine_path names them",
    "enable_prompt_adapter": _ADAPTERS,
    "max_prompt_adapter_token": _ADAPTERS,
    "batching_type": "legacy; the scheduler's policies replace it",
    "normalize_log_probs": "changes the score of computed beams",
}
"""Arguments of the legacy TensorRT execution."""

GENERATE: Reasons = {
    "lora_request": _ADAPTERS,
    "prompt_adapter_request": _ADAPTERS,
    "kv_cache_retention_config": "priorities of single requests; llem's requests are all alike",
    "disaggregated_params": _DISAGGREGATED,
    "scheduling_params": "hints for single requests; llem's requests are all alike",
}
"""Arguments of ``LLM.generate()``."""

SAMPLING: Reasons = {
    "end_id": "the model's end token ends a request",
    "pad_id": "nothing is padded",
    "stop_token_ids": "the model's end tokens and decoder.stop end a request",
    "embedding_bias": _OBJECT,
    "logits_processor": _OBJECT,
    "apply_batched_logits_processor": _OBJECT,
    "beam_width_array": "the beam width is the same at each step",
    "return_context_logits": "returns logits, which no figure needs",
    "return_generation_logits": "returns logits, which no figure needs",
    "exclude_input_from_output": "llem counts outputs without their prompts",
    "return_encoder_output": "for encoder-decoder models",
    "additional_model_outputs": "returns tensors, which no figure needs",
    "lookahead_config": "trt.speculation sets it for all requests",
    "add_special_tokens": _TOKENS,
    "truncate_prompt_tokens": "workload.max_input_tokens truncates prompts for every backend",
    "skip_special_tokens": "formats the text, which llem does not read",
    "spaces_between_special_tokens": "formats the text, which llem does not read",
}
"""Arguments of ``SamplingParams()``."""

_REBALANCE = "moves memory during the run, so repetitions would differ"

KV_CACHE: Reasons = {
    "cross_kv_cache_fraction": "for encoder-decoder models",
    "event_buffer_max_size": _LAYOUT,
    "attention_dp_events_gather_period_ms": _LAYOUT,
    "kv_events_config": _LAYOUT,
    "kv_cache_event_hash_algo": _LAYOUT,
    "iteration_stats_interval": _STATISTICS,
    "mamba_ssm_stochastic_rounding": "a prototype that changes results at random",
    "mamba_ssm_philox_rounds": "a prototype that changes results at random",
    "mamba_state_cache_interval": "deprecated; mamba_state_config replaces it",
    "mamba_state_config": "the reference lacks its class",
    "enable_kv_pool_rebalance": _REBALANCE,
    "kv_pool_rebalance_min_sampled_kv_caches": _REBALANCE,
    "kv_pool_rebalance_cooldown_secs": _REBALANCE,
    "kv_pool_rebalance_target_ratio_update_interval": _REBALANCE,
    "kv_pool_rebalance_ratio_threshold": _REBALANCE,
    "kv_pool_rebalance_moving_average_decay": _REBALANCE,
    "kv_pool_rebalance_check_interval": _REBALANCE,
    "disk_prefetch_num_reqs": "prefetches for waiting requests; llem submits all at once",
    "block_reuse_config": "the reference lacks its class",
}
"""Arguments of ``KvCacheConfig()``."""
