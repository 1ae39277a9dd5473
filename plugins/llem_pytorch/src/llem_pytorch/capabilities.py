"""What the backend does through llem today; transformers itself can do more."""

from __future__ import annotations

from llem.api.capability import BackendInfo, Capability, Claim, EngineRequirement, Gpus, Level

_YES = Claim(Level.YES)

INFO = BackendInfo(
    name="pytorch",
    summary="AutoModelForCausalLM and generate() of transformers, in static batches",
    engine=EngineRequirement(
        distribution="transformers",
        versions=">=5.18,<6",
        install="pip install llem-pytorch",
    ),
    devices=("cpu", "cuda"),
    claims={
        **{capability: Claim(Level.NO) for capability in Capability},
        Capability.FLOAT32: _YES,
        Capability.FLOAT16: _YES,
        Capability.BFLOAT16: _YES,
        Capability.RANDOM_WEIGHTS: _YES,
        Capability.GGUF: Claim(Level.PARTIAL, note="unpacked to dense weights on loading"),
        Capability.STATIC_BATCHING: _YES,
        Capability.STREAMING_LATENCY: _YES,
        Capability.PIPELINE_PARALLEL: Claim(
            Level.PARTIAL,
            note="device_map spreads layers; one device works at a time",
            needs=(Gpus(2),),
        ),
    },
    decoder_parameters=frozenset(
        {
            "do_sample",
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "typical_p",
            "repetition_penalty",
            "min_new_tokens",
            "max_new_tokens",
            "stop",
            "seed",
            "ignore_eos",
        }
    ),
    variables=("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"),
    versions_of=(
        "torch",
        "transformers",
        "accelerate",
        "bitsandbytes",
        "gguf",
        "safetensors",
        "tokenizers",
    ),
)
"""The declaration."""
