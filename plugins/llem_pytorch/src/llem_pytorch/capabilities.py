"""What the backend does through llem today; transformers itself can do more."""

from __future__ import annotations

from llem.api.capability import BackendInfo, Capability, Claim, EngineRequirement, Gpus, Support

_YES = Claim(Support.YES)

INFO = BackendInfo(
    name="pytorch",
    summary="AutoModelForCausalLM and generate() of transformers",
    engine=EngineRequirement(
        distribution="transformers",
        versions=">=5.20,<6",
        install="pip install llem-pytorch",
    ),
    devices=("cpu", "cuda"),
    claims={
        **{capability: Claim(Support.NO) for capability in Capability},
        Capability.FLOAT32: _YES,
        Capability.FLOAT16: _YES,
        Capability.BFLOAT16: _YES,
        Capability.RANDOM_WEIGHTS: _YES,
        Capability.GGUF: Claim(Support.PARTIAL, note="unpacked to dense weights on loading"),
        Capability.QUANTIZATION_8BIT: Claim(
            Support.YES,
            note="bitsandbytes, while loading; tried on a CPU",
            settings={"pytorch.load_in_8bit": True},
        ),
        Capability.QUANTIZATION_4BIT: Claim(
            Support.YES,
            note="bitsandbytes nf4 and fp4, while loading; nf4 tried on a CPU",
            settings={"pytorch.load_in_4bit": True},
        ),
        Capability.QUANTIZATION_OTHER: Claim(
            Support.PARTIAL,
            note="torchao and quanto while loading, tried on a CPU; GPTQ, AWQ, FP8, MXFP4 and "
            "compressed-tensors only passed on; transformers refuses HQQ so far",
            settings={"pytorch.quantization": {"method": "quanto", "weights": "int8"}},
        ),
        Capability.STATIC_BATCHING: Claim(Support.YES, settings={"pytorch.batch_size": 2}),
        Capability.CONTINUOUS_BATCHING: Claim(
            Support.YES, settings={"pytorch.batching": "continuous"}
        ),
        Capability.STATIC_KV_CACHE: Claim(
            Support.YES, settings={"pytorch.cache_implementation": "static"}
        ),
        Capability.COMPILE: Claim(
            Support.YES,
            note="torch.compile of the whole forward pass",
            settings={"pytorch.torch_compile": True, "pytorch.torch_compile_backend": "eager"},
        ),
        Capability.BEAM_SEARCH: Claim(Support.YES, settings={"pytorch.num_beams": 2}),
        Capability.SPECULATIVE_DECODING: Claim(
            Support.YES,
            note="prompt lookup, assistant model, early exit; one request at a time",
            settings={"pytorch.prompt_lookup_num_tokens": 4},
        ),
        Capability.PREFIX_CACHING: Claim(
            Support.PARTIAL, note="within one repetition of continuous batching"
        ),
        Capability.STREAMING_LATENCY: Claim(Support.YES, note="not with beams"),
        Capability.PIPELINE_PARALLEL: Claim(
            Support.PARTIAL,
            note="device_map spreads layers; one device works at a time; not tried on GPUs yet",
            requires=(Gpus(2),),
            settings={"pytorch.device_map": "auto"},
        ),
    },
    model_parameters=None,
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
    # Not the seed, which random weights come from.
    hot_swappable=frozenset(
        {
            "tokenizer",
            "generate",
            "settings.batching",
            "settings.batch_size",
            "settings.batch_order",
            "settings.ignore_eos",
            "settings.stop",
        }
    ),
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
