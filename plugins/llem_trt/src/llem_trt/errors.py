"""Hints for errors of TensorRT-LLM."""

from __future__ import annotations

HINTS: tuple[tuple[str, str], ...] = (
    (
        r"the plan is for TensorRT-LLM",
        "Set trt.surface to the version that is installed: '1.2' or '1.3'.",
    ),
    (
        r"out of memory|OutOfMemoryError",
        "Lower trt.kv_cache.free_gpu_memory_fraction, trt.max_batch_size or trt.max_seq_len, or "
        "split the model with trt.tensor_parallel_size.",
    ),
    (
        r"should not exceed max_num_tokens|exceed.*max_num_tokens",
        "Raise trt.max_num_tokens, or set trt.enable_chunked_prefill: true.",
    ),
    (
        r"GPUs are available, but \d+ are required",
        "Lower the parallel sizes, or check CUDA_VISIBLE_DEVICES.",
    ),
    (
        r"Extra inputs are not permitted|got invalid argument|unexpected keyword argument",
        "This version of TensorRT-LLM has no such argument: check trt.surface and "
        "passthrough_kwargs, and compare with `llem audit trt`.",
    ),
    (
        r"specific to TensorRT backend",
        "Set trt.execution: tensorrt, which versions up to 1.2 have.",
    ),
    (
        r"does not support backend",
        "Choose another trt.speculation.method for this execution.",
    ),
    (
        r"No module named 'tensorrt_llm\._tensorrt_engine'",
        "This version has no TensorRT execution: remove trt.execution and trt.engine_path.",
    ),
    (
        r"libmpi|mpi4py|MPI_Init|PMIX|orted",
        "MPI does not start: install OpenMPI, or use the container with `--ipc host`.",
    ),
    (
        r"libnvinfer|libcuda|libcublas|libcudart|CUDA driver version is insufficient",
        "CUDA libraries or driver do not fit TensorRT-LLM; its container has fitting libraries.",
    ),
    (
        r"no kernel image is available|SM\d+.*not supported|unsupported.*architecture",
        "TensorRT-LLM has no kernels for this device and setting.",
    ),
    (
        r"GatedRepo|gated repo|\b403 Client Error",
        "Accept the model's terms on its hub page, then log in with `hf auth login` or set "
        "HF_TOKEN.",
    ),
    (
        r"LocalEntryNotFound|OfflineMode|couldn't connect to|outgoing traffic has been disabled",
        "The model is not on this machine: download it while online (`hf download ID`).",
    ),
)
"""Pattern of the error's type and message, with the hint; the first match counts."""
