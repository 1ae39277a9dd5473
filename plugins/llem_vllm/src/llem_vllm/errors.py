"""Hints for errors of vLLM, torch and the model hub."""

from __future__ import annotations

HINTS: tuple[tuple[str, str], ...] = (
    (
        r"attention heads .* must be divisible by tensor parallel size",
        "Set vllm.tensor_parallel_size to a divisor of the model's number of heads.",
    ),
    (
        r"max_model_len .* is greater than the derived",
        "Lower vllm.max_model_len to the model's own limit, or leave it out.",
    ),
    (
        r"(prompt|input).*(longer than|exceeds?).*(max_model_len|maximum model length|context)|"
        r"maximum context length",
        "Raise vllm.max_model_len, shorten workload.input_tokens, or set "
        "workload.max_input_tokens.",
    ),
    (
        r"No available memory for the cache|KV cache is needed|to serve at least one request",
        "The KV cache is too small for one request: lower vllm.max_model_len, or raise "
        "vllm.gpu_memory_utilization or vllm.kv_cache_memory_bytes (on a CPU also the variable "
        "VLLM_CPU_KVCACHE_SPACE, in GiB).",
    ),
    (
        r"Free memory on device|less than desired GPU memory utilization",
        "Another process uses device memory: end it, or lower vllm.gpu_memory_utilization.",
    ),
    (
        r"OutOfMemoryError|out of memory|DefaultCPUAllocator",
        "Lower vllm.gpu_memory_utilization, vllm.max_num_seqs or vllm.max_num_batched_tokens, or "
        "choose a smaller model.dtype.",
    ),
    (
        r"EngineDeadError|EngineProcessDied|EngineCore encountered|"
        r"Engine core (initialization failed|proc)",
        "A process of vLLM ended. The log says why, above the last traceback; if it does not, the "
        "kernel may have killed the process for lack of memory.",
    ),
    (
        r"GatedRepo|gated repo|\b403 Client Error",
        "Accept the model's terms on its hub page, then log in with `hf auth login` or set "
        "HF_TOKEN.",
    ),
    (
        r"LocalEntryNotFound|OfflineMode|couldn't connect to|Max retries exceeded|"
        r"Cannot find an appropriate cached|outgoing traffic has been disabled",
        "The model is not on this machine: download it while online (`hf download ID`) or, if "
        "HF_HUB_OFFLINE is set, unset it.",
    ),
    (
        r"RepositoryNotFound|is not a local folder and is not a valid model identifier|"
        r"HFValidationError|Repo id must|Invalid repository ID",
        "Check model.id: it is a hub id, the path of a model folder, or shape:NAME.",
    ),
    (
        r"not supported for now|do not have a vLLM implementation|does not recognize this arch",
        "This version of vLLM does not implement the model; try vllm.model_impl: transformers.",
    ),
    (
        r"trust_remote_code",
        "The model comes with Python code; set model.trust_remote_code to true if you trust its "
        "author.",
    ),
    (
        r"Cannot find the config file for|quantization method specified in the model config",
        "vllm.quantization does not fit the checkpoint: leave it out to follow the checkpoint, or "
        "use a checkpoint prepared for the method.",
    ),
    (
        r"quantization method .* not supported for the current (GPU|platform)|"
        r"is not supported on (this|the current) platform|Minimum capability",
        "This device lacks kernels for the method; change or remove vllm.quantization.",
    ),
    (
        r"attention backend|Selected backend .* is not valid|No valid attention backend",
        "Remove vllm.attention_backend: vLLM then chooses a kernel that works here.",
    ),
    (
        r"unexpected keyword argument",
        "This version of vLLM has no such argument: check passthrough_kwargs.",
    ),
    (
        r"VLLM_ALLOW_INSECURE_SERIALIZATION|llem_describe",
        "The processes of vLLM could not load llem-vllm: install it beside vLLM.",
    ),
)
"""Pattern of the error's type and message, with the hint; the first match counts."""
