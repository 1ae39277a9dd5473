"""Arguments of the engine that no field of the section exposes, with the reasons."""

from __future__ import annotations

OWNED = {
    "spec_method": "a shortcut into speculative_config, and vLLM refuses both",
    "spec_model": "a shortcut into speculative_config, and vLLM refuses both",
    "spec_tokens": "a shortcut into speculative_config, and vLLM refuses both",
    "disable_log_stats": "always on, because request times come from the statistics",
    "worker_extension_cls": "lets the session ask workers what they loaded",
}
"""Arguments that llem sets itself."""

_EXCLUDED_FOR = {
    "llem measures text in, text out; no workload has images, sound or video yet": (
        "allowed_local_media_path", "allowed_media_domains", "disable_chunked_mm_input",
        "ec_manager_config", "ec_transfer_config", "enable_mm_embeds", "enable_mm_processor_stats",
        "interleave_mm_strings", "limit_mm_per_prompt", "media_io_kwargs", "mm_device_do_normalize",
        "mm_encoder_attn_backend", "mm_encoder_attn_dtype", "mm_encoder_fp8_scale_path",
        "mm_encoder_fp8_scale_save_margin", "mm_encoder_fp8_scale_save_path", "mm_encoder_only",
        "mm_encoder_tp_mode", "mm_hasher_algorithm", "mm_ipc_gpu_memory_gb",
        "mm_processor_cache_gb", "mm_processor_cache_type", "mm_processor_device",
        "mm_processor_kwargs", "mm_shm_cache_max_object_size_mb", "mm_tensor_ipc",
        "skip_mm_profiling", "video_pruning_method", "video_pruning_rate",
    ),
    "no workload names LoRA adapters yet": (
        "default_mm_loras", "enable_lora", "enable_mixed_moe_lora_format",
        "enable_moe_shared_loras", "enable_tower_connector_lora", "fully_sharded_loras",
        "lora_dtype", "lora_target_modules", "max_cpu_loras", "max_lora_cls_labels",
        "max_lora_rank", "max_loras", "specialize_active_lora",
    ),
    "for several engines or machines; the offline engine is one replica on one machine": (
        "data_parallel_address", "data_parallel_backend", "data_parallel_external_lb",
        "data_parallel_hybrid_lb", "data_parallel_multi_port_external_lb", "data_parallel_rank",
        "data_parallel_rpc_port", "data_parallel_size_local", "data_parallel_start_rank",
        "disable_nccl_for_dp_synchronization", "dp_sync_interval", "elastic_ep_max_dp_size",
        "enable_elastic_ep", "enable_fault_tolerance", "fault_tolerance_config", "kv_events_config",
        "kv_transfer_config", "master_addr", "master_port", "nnodes", "node_rank",
    ),
    "for the HTTP server, which llem does not start": (
        "_api_process_count", "_api_process_rank", "max_num_queued_reqs", "max_num_queued_tokens",
        "renderer_num_workers", "served_model_name", "shutdown_timeout", "tokens_only",
    ),
    "records more than llem reads, at a cost inside the window": (
        "aggregate_engine_logging", "collect_detailed_traces", "cudagraph_metrics",
        "custom_histogram_buckets", "enable_layerwise_nvtx_tracing",
        "enable_logging_iteration_details", "enable_mfu_metrics", "jit_monitor_mode",
        "jit_monitor_verbose", "kv_cache_metrics", "kv_cache_metrics_sample", "log_config_file",
        "log_level", "logging_config", "otlp_traces_endpoint", "per_request_spec_decode_metrics",
        "profiler_config", "ray_workers_use_nsight", "show_hidden_metrics_for_version",
    ),
    "returns more than token ids": (
        "aux_output_config", "enable_return_routed_experts", "return_sampling_mask",
    ),
    "changes the text, not how it is computed; passthrough_kwargs.load takes it": (
        "enable_trace_replay", "reasoning_config", "reasoning_parser", "reasoning_parser_plugin",
        "structured_outputs_config", "watermark_config",
    ),
    "llem passes every sampling parameter, so the model's defaults do not count": (
        "override_generation_config",
    ),
    "takes an object or code of the user, which a config cannot hold": (
        "io_processor_plugin", "logits_processors", "model_class_overrides", "scheduler_cls",
        "worker_cls",
    ),
    "not text generation by a decoder": (
        "convert", "diffusion_config", "enable_prompt_embeds", "pooler_config", "runner",
    ),
    "frees memory between runs; a measurement has no such pause": (
        "enable_nccl_comm_suspend", "enable_sleep_mode", "sleep_mode_offload_cudagraph",
        "sleep_preserve_parameter_names",
    ),
    "where files are and how they are read; no figure depends on it, and passthrough_kwargs.load "
    "takes it": (
        "code_revision", "config_format", "download_dir", "hf_config_path", "ignore_patterns",
        "model_loader_extra_config", "pt_load_map_location", "safetensors_prefetch_block_size",
        "safetensors_prefetch_num_threads", "use_tqdm_on_load",
    ),
    "for one family of models; passthrough_kwargs.load takes it": (
        "additional_config", "engram_config", "hf_overrides",
    ),
    "EngineArgs has its fields too, and the section exposes those": ("mamba_config",),
    "limits and transport between processes, without a choice to measure": (
        "cpu_distributed_timeout_seconds", "distributed_timeout_seconds", "enable_shm_tensor_arena",
        "fail_on_environ_validation", "weight_transfer_config",
    ),
    "the old name of cp_kv_cache_interleave_size": ("dcp_kv_cache_interleave_size",),
    "without effect: vLLM removed cascade attention": ("disable_cascade_attn",),
    "a secret; the variable HF_TOKEN carries it, and outcomes do not": ("hf_token",),
    "set by vLLM itself when the model comes from object storage": ("model_weights",),
    "stop texts and EOS need the tokenizer": ("skip_tokenizer_init",),
}  # fmt: skip

EXCLUDED = {name: reason for reason, names in _EXCLUDED_FOR.items() for name in names}
"""Arguments that llem leaves out."""
