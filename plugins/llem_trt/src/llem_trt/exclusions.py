"""Parameters of TensorRT-LLM that are left out on purpose, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping

Reasons = Mapping[str, str]

_ADAPTERS = "llem measures a model as it is, without adapters"
_DISAGGREGATED = "for disaggregated serving, which is not one engine"
_MULTIMODAL = "for inputs other than text"
_OBJECT = "a Python object, which a config cannot hold; passthrough cannot either"
_RAY = "Ray's workers live outside the worker's processes, where llem neither meters nor ends them"
_SERVER = "for the server; llem calls the engine itself"
_STATISTICS = "statistics of each iteration would be work inside the window; llem reads requests"
_TRACING = "for tracing and debugging, which change what is measured"
_TOKENS = "llem passes token ids and counts token ids"
_SLEEP = "for sharing a device in turns, which a measurement must not"
_COMMON = "one machine is measured"
_LOADING = "acts while loading only, outside every window"
_MODEL = "would make another model of it than the one named"
_LAYOUT = "how events are reported, which nobody reads here"

COMMON: Reasons = {
    "tokenizer_mode": _TOKENS,
    "custom_tokenizer": _TOKENS,
    "skip_tokenizer_init": "stop texts and end tokens need the tokenizer",
    "model_kwargs": _MODEL,
    "gpus_per_node": _COMMON,
    "enable_lora": _ADAPTERS,
    "lora_config": _ADAPTERS,
    "peft_cache_config": _ADAPTERS,
    "batched_logits_processor": _OBJECT,
    "iter_stats_max_iterations": _STATISTICS,
    "request_stats_max_iterations": _STATISTICS,
    "cache_transceiver_config": _DISAGGREGATED,
    "gather_generation_logits": "logits are tensors that no figure needs",
    "postprocess_tokenizer_dir": _SERVER,
    "reasoning_parser": _SERVER,
    "decoding_config": "deprecated; speculative_config replaces it",
    "mpi_session": _OBJECT,
    "otlp_traces_endpoint": _TRACING,
    "return_perf_metrics": "for the server; each request asks by its own return_perf_metrics",
    "perf_metrics_max_requests": _SERVER,
    "orchestrator_type": "the default, MPI, starts workers that llem meters and ends",
    "env_overrides": "runner.env sets environment variables, and the outcome records them",
}
"""Arguments that both executions have."""

PYTORCH: Reasons = {
    "sampler_force_async_worker": "the engine's own tests need it",
    "enable_iter_perf_stats": _STATISTICS,
    "enable_iter_req_stats": _STATISTICS,
    "print_iter_log": "printing is work inside the window",
    "enable_layerwise_nvtx_marker": _TRACING,
    "stream_interval": "nothing is streamed: times come from the engine's request metrics",
    "checkpoint_loader": _OBJECT,
    "checkpoint_format": "the checkpoint says so itself",
    "kv_connector_config": "names a module of the user's own to import",
    "mm_encoder_only": _MULTIMODAL,
    "ray_worker_extension_cls": _RAY,
    "ray_placement_config": _RAY,
    "ray_worker_nsight_options": _RAY,
    "enable_sleep": _SLEEP,
    "sleep_config": _SLEEP,
    "max_stats_len": _STATISTICS,
    "layer_wise_benchmarks_config": _TRACING,
    "generation_config": "the shared decoder decides about sampling, not the model's defaults",
    "post_processor_hook": _SERVER,
    "kv_cache_compression_config": "a prototype whose classes the reference does not know yet",
    "num_serve_frontends": _SERVER,
    "perf_metrics_output_dir": _SERVER,
    "prometheus_metrics_config": _SERVER,
    "enable_energy_metrics": "for the server; llem meters the devices itself",
    "telemetry_config": "sends data about the run away",
    "encoder_cuda_graph_config": _MULTIMODAL,
    "enable_encoder_decoder_mixed_cuda_graph": "for encoder-decoder models",
    "multimodal_config": _MULTIMODAL,
    "dwdp_config": "a prototype whose class the reference does not know yet",
    "encoder_max_batch_size": _MULTIMODAL,
    "encoder_max_num_tokens": _MULTIMODAL,
    "enable_speculative_beam_history_d2h": "how beam histories are copied; a prototype",
    "checkpoint_io_policy": _LOADING,
    "mx_config": _LOADING,
    "gms_config": _LOADING,
    "disable_mm_encoder": _MULTIMODAL,
    "encode_only": "for models that do not generate",
    "reorder_policy_config": "a prototype whose class the reference does not know yet",
    "enable_resource_governor": "changes limits while it runs, so that repetitions would differ",
}
"""Arguments of the PyTorch execution."""

TENSORRT: Reasons = {
    "enable_tqdm": "printing while building",
    "workspace": _LOADING,
    "fail_fast_on_attention_window_too_large": "how an error is reported",
    "enable_build_cache": _LOADING,
    "extended_runtime_perf_knob_config": "legacy tuning of an execution that is being removed",
    "embedding_parallel_mode": "legacy tuning of an execution that is being removed",
    "fast_build": _LOADING,
    "build_config": "build engines with trtllm-build and name them with trt.engine_path",
    "enable_prompt_adapter": _ADAPTERS,
    "max_prompt_adapter_token": _ADAPTERS,
    "batching_type": "legacy; the scheduler's policies say it",
    "normalize_log_probs": "changes how beams are scored after they are computed",
}
"""Arguments of the legacy TensorRT execution."""

GENERATE: Reasons = {
    "lora_request": _ADAPTERS,
    "prompt_adapter_request": _ADAPTERS,
    "kv_cache_retention_config": "priorities of single requests; all requests are alike here",
    "disaggregated_params": _DISAGGREGATED,
    "scheduling_params": "hints for single requests; all requests are alike here",
}
"""Arguments of ``LLM.generate()``."""

SAMPLING: Reasons = {
    "end_id": "the model's own end token ends a request",
    "pad_id": "nothing is padded",
    "stop_token_ids": "the model's own end tokens and decoder.stop end a request",
    "embedding_bias": _OBJECT,
    "logits_processor": _OBJECT,
    "apply_batched_logits_processor": _OBJECT,
    "beam_width_array": "the width is the same at each step",
    "return_context_logits": "logits are tensors that no figure needs",
    "return_generation_logits": "logits are tensors that no figure needs",
    "exclude_input_from_output": "outputs without their prompt are what llem counts",
    "return_encoder_output": "for encoder-decoder models",
    "additional_model_outputs": "tensors that no figure needs",
    "lookahead_config": "the same for all requests: trt.speculation",
    "add_special_tokens": _TOKENS,
    "truncate_prompt_tokens": "workload.max_input_tokens truncates for all backends alike",
    "skip_special_tokens": "about the text, which llem does not read",
    "spaces_between_special_tokens": "about the text, which llem does not read",
}
"""Arguments of ``SamplingParams()``."""

_REBALANCE = "moves memory while it runs, so that repetitions would differ"

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
    "mamba_state_config": "when states are kept; the reference does not know its class yet",
    "enable_kv_pool_rebalance": _REBALANCE,
    "kv_pool_rebalance_min_sampled_kv_caches": _REBALANCE,
    "kv_pool_rebalance_cooldown_secs": _REBALANCE,
    "kv_pool_rebalance_target_ratio_update_interval": _REBALANCE,
    "kv_pool_rebalance_ratio_threshold": _REBALANCE,
    "kv_pool_rebalance_moving_average_decay": _REBALANCE,
    "kv_pool_rebalance_check_interval": _REBALANCE,
    "disk_prefetch_num_reqs": "prefetches for waiting requests; all are known at once here",
    "block_reuse_config": "the reference does not know its class yet",
}
"""Arguments of ``KvCacheConfig()``."""
