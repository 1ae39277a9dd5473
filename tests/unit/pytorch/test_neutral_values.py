"""What transformers documents as off or default is accepted, whatever else is set."""

import pytest
from transformers import GenerationConfig

from llem.testing.plugin_under_test import PluginUnderTest

from ...engine_defaults import DECODER, documented_defaults, faults, neutral_values

CHOSEN = ("pytorch.quantization.", "pytorch.watermarking_config.")
"""Sections that act as soon as they are given: a method of quantization, and a watermark."""

ELSEWHERE = {"pytorch.torch_compile_mode"}
"""The default of a class whose parts llem hands to `torch.compile()`, which has another default."""

EFFECTIVE = [
    (f"pytorch.{name}", value)
    for name, value in GenerationConfig._get_default_generation_params().items()
]
"""Defaults that the library takes while it generates, where its class says nothing."""

OFF = [
    ("pytorch.prompt_lookup_num_tokens", 0),
    ("pytorch.assistant_early_exit", 0),
    ("pytorch.assistant_ensemble_weight", 0),
    ("pytorch.assistant_ensemble_weight", 1),
    ("pytorch.prefill_chunk_size", 0),
    ("pytorch.batching", "static"),
    ("decoder.top_k", -1),
]
"""Values that switch a field off, and that llem turns into none."""

CHOICES = frozenset(
    f"pytorch.{name}"
    for name in (
        "use_cache",
        "num_beams",
        "cache_implementation",
        "torch_compile",
        "allow_tf32",
        "allow_reduced_precision_reduction",
        "cudnn_benchmark",
        "flush_denormal",
        "mkldnn",
    )
)

BASES = {
    "greedy": {},
    "sampling": {"decoder.temperature": 0.7},
    "synthetic prompts": {"workload": {"source": "synthetic"}},
    "continuous": {"pytorch.batching": "continuous"},
    "continuous sampling": {"pytorch.batching": "continuous", "decoder.temperature": 0.7},
    "beams": {"pytorch.num_beams": 4},
    "no cache": {"pytorch.use_cache": False},
    "a static cache": {"pytorch.cache_implementation": "static"},
    "a quantized cache": {"pytorch.cache_implementation": "quantized"},
    "an fp8 cache": {
        "pytorch.cache_implementation": "quantized",
        "pytorch.cache_config.backend": "fp8",
    },
    "4 bits": {"pytorch.load_in_4bit": True},
    "8 bits": {"pytorch.load_in_8bit": True},
    "another method": {"pytorch.quantization": {"method": "quanto"}},
    "compiled": {"pytorch.torch_compile": True},
    "compiled with options": {
        "pytorch.torch_compile": True,
        "pytorch.torch_compile_options": {"epilogue_fusion": True},
    },
    "cpu": {"pytorch.device": "cpu"},
    "cuda": {"pytorch.device": "cuda"},
    "spread": {"pytorch.device_map": "auto"},
    "placed": {"pytorch.device_map": {"model.layers.0": 0, "": "cpu"}},
    "random weights": {"model.weights": "random"},
    "a shape": {"model.id": "shape:tiny"},
    "a GGUF file": {"model.gguf_file": "model.Q4_K_M.gguf"},
    "an assistant": {"pytorch.assistant_model": "org/assistant"},
    "early exit": {"pytorch.assistant_early_exit": 1},
    "lookup": {"pytorch.prompt_lookup_num_tokens": 4},
    "prediction heads": {"pytorch.use_mtp": True},
    "flash attention": {
        "pytorch.attn_implementation": "flash_attention_2",
        "model.dtype": "bfloat16",
    },
    "flex attention": {"pytorch.attn_implementation": "flex_attention"},
    "hub kernels": {"pytorch.use_kernels": True},
    "a precision": {"pytorch.float32_matmul_precision": "high"},
}


@pytest.fixture(scope="module")
def subject():
    return PluginUnderTest("pytorch")


@pytest.fixture(scope="module")
def values(subject):
    known = subject.all_fields
    found = [*documented_defaults("pytorch"), *EFFECTIVE, *neutral_values("pytorch"), *DECODER]
    return [
        *OFF,
        *(
            (path, value)
            for path, value in found
            if path in known
            and value is not None
            and path not in ELSEWHERE
            and not path.startswith(CHOSEN)
        ),
    ]


@pytest.mark.parametrize("base", BASES)
def test_what_is_documented_as_off_or_default_is_accepted_everywhere(subject, values, base):
    assert faults(subject, BASES[base], values, CHOICES) == []


def test_the_list_covers_every_topic(values):
    paths = {path for path, _ in values}
    assert len(paths) > 70
    assert {
        "pytorch.no_repeat_ngram_size",
        "pytorch.bnb_4bit_quant_type",
        "pytorch.continuous_batching.page_size",
        "pytorch.cache_config.nbits",
        "pytorch.use_kernels",
        "pytorch.distributed.ep_implementation",
        "pytorch.num_assistant_tokens",
    } <= paths
