"""What to do about errors of torch, transformers and the model hub."""

from __future__ import annotations

HINTS: tuple[tuple[str, str], ...] = (
    (
        r"OutOfMemoryError|out of memory|DefaultCPUAllocator",
        "Lower pytorch.batch_size or the workload's lengths, choose a smaller model.dtype, or "
        "spread the model with pytorch.device_map: auto.",
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
        r"HFValidationError|Repo id must",
        "Check model.id: it is a hub id, the path of a model folder, or shape:NAME.",
    ),
    (
        r"RevisionNotFound|is not a valid git identifier",
        "Check model.revision: it is a branch, tag or commit of the model's repository.",
    ),
    (
        r"does not appear to have (a|any) file|no file named|EntryNotFound|"
        r"Unrecognized model in",
        "A file of the model is missing: it needs config.json, weights unless model.weights is "
        "random, and the GGUF file that model.gguf_file names.",
    ),
    (
        r"trust_remote_code",
        "The model brings Python code of its own; set model.trust_remote_code to true if you "
        "trust its author.",
    ),
    (
        r"does not recognize this architecture|model type .* but Transformers does not",
        "The installed transformers does not know this model yet; a newer one may: "
        "pip install -U transformers.",
    ),
    (
        r"replaced the attention kernel",
        "Ask for the one that was used, or set pytorch.allow_kernel_fallback to true.",
    ),
    (
        r"[Ff]lash[ _-]?[Aa]tt",
        "Install the kernel (pip install flash-attn), or set pytorch.attn_implementation to sdpa.",
    ),
    (
        r"does not support an attention implementation",
        "This model has fewer attention kernels; set pytorch.attn_implementation to eager.",
    ),
    (
        r"requires? .*`?accelerate|No module named 'accelerate'",
        "Install it with: pip install accelerate",
    ),
    (
        r"requires? .*optimum-quanto|optimum\.quanto|quanto",
        "Install it with: pip install optimum-quanto",
    ),
    (
        r"torchao",
        "Install it with: pip install torchao",
    ),
    (
        r"optimum\.gptq|gptqmodel",
        "Install it with: pip install optimum gptqmodel",
    ),
    (
        r"compressed-tensors.* is required",
        "Install it with: pip install compressed-tensors",
    ),
    (
        r"MXFP4 quantization requires",
        "Install it with: pip install triton kernels",
    ),
    (
        r"needed for FP8 quantization",
        "Only a GPU quantizes to FP8; set pytorch.device to cuda, or choose torchao.",
    ),
    (
        r"require the model to be pre-quantized",
        "This method loads checkpoints that were quantized with it before: name one in model.id, "
        "or choose a method that quantizes while loading, such as torchao.",
    ),
    (
        r"Group size .* must be a divisor",
        "Set pytorch.cache_config.q_group_size to the size of an attention head, or a divisor.",
    ),
    (
        r"HQQ is not available yet",
        "transformers announces HQQ and refuses it; choose quanto or torchao.",
    ),
    (
        r"hqq",
        "Install it with: pip install hqq",
    ),
    (
        r"No module named 'gguf'|requires? .*`?gguf|install gguf",
        "Install it with: pip install gguf",
    ),
    (
        r"GGUF model with architecture .* is not supported",
        "transformers cannot read GGUF files of this family; use the original checkpoint.",
    ),
    (
        r"CppCompileError",
        "The compiler of torch failed: is there a C++ compiler (g++)? Flex attention on the CPU "
        "takes no padded batch: set pytorch.batch_size to 1, or attn_implementation to sdpa.",
    ),
    (
        r"device-side assert|index out of range in self",
        "A token id lies outside the model's vocabulary: does model.tokenizer fit the model?",
    ),
    (
        r"Torch not compiled with CUDA|Cannot access accelerator device|No CUDA GPUs are available",
        "torch sees no GPU here: install a build with CUDA, or set pytorch.device to cpu.",
    ),
    (
        r"no kernel image is available|CUDA driver version is insufficient",
        "The installed torch does not fit this GPU or driver; see pytorch.org for the right build.",
    ),
    (
        r"model_kwargs.* are not used by the model|unexpected keyword argument",
        "An argument in passthrough_kwargs is not known to this version of transformers.",
    ),
)
"""A pattern of the error's type and message, and the hint; the first that matches counts."""
