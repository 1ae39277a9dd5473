"""What to do about errors of vLLM, torch and the model hub."""

from __future__ import annotations

import re

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
        "Something else holds device memory: end it, or lower vllm.gpu_memory_utilization.",
    ),
    (
        r"OutOfMemoryError|out of memory|DefaultCPUAllocator",
        "Lower vllm.gpu_memory_utilization, vllm.max_num_seqs or vllm.max_num_batched_tokens, or "
        "choose a smaller model.dtype.",
    ),
    (
        r"EngineDeadError|EngineProcessDied|EngineCore encountered|"
        r"Engine core (initialization failed|proc)",
        "A process of vLLM ended; the log says why, above the last traceback. If it says nothing, "
        "the kernel may have ended it when memory ran out.",
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
        "This vLLM has no code of its own for the model; try vllm.model_impl: transformers.",
    ),
    (
        r"trust_remote_code",
        "The model brings Python code of its own; set model.trust_remote_code to true if you "
        "trust its author.",
    ),
    (
        r"Cannot find the config file for|quantization method specified in the model config",
        "vllm.quantization does not fit the checkpoint: leave it out to follow the checkpoint, or "
        "use one that was prepared for the method.",
    ),
    (
        r"quantization method .* not supported for the current (GPU|platform)|"
        r"is not supported on (this|the current) platform|Minimum capability",
        "This device has no kernels for it; use another vllm.quantization, or none.",
    ),
    (
        r"attention backend|Selected backend .* is not valid|No valid attention backend",
        "Leave vllm.attention_backend out: vLLM then takes one that works here.",
    ),
    (
        r"unexpected keyword argument",
        "An argument in passthrough_kwargs is not known to this version of vLLM.",
    ),
    (
        r"VLLM_ALLOW_INSECURE_SERIALIZATION|llem_describe",
        "The processes of vLLM could not load llem-vllm: install it beside vLLM.",
    ),
)
"""A pattern of the error's type and message, and the hint; the first that matches counts."""


def explain(error_type: str, message: str) -> str | None:
    """Return what to do about an error, or ``None`` if it is not a known one."""
    text = f"{error_type}: {message}"
    return next((hint for pattern, hint in HINTS if re.search(pattern, text)), None)
