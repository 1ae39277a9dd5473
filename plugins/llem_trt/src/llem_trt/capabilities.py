"""What the backend does through llem today; TensorRT-LLM itself can do far more."""

from __future__ import annotations

from llem.api.capability import BackendInfo, Capability, Claim, EngineRequirement, Level

_NOT_YET = Claim(Level.NO, note="cannot measure yet")

INFO = BackendInfo(
    name="trt",
    summary="TensorRT-LLM's LLM class; describes, validates and plans, does not measure yet",
    engine=EngineRequirement(
        distribution="tensorrt-llm",
        versions=">=1.2",
        install='pip install "llem-trt[engine]"',
    ),
    devices=("cuda",),
    claims=dict.fromkeys(Capability, _NOT_YET),
    decoder_parameters=frozenset(
        {
            "do_sample",
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "repetition_penalty",
            "min_new_tokens",
            "max_new_tokens",
            "stop",
            "seed",
            "ignore_eos",
        }
    ),
    versions_of=("torch", "transformers", "tensorrt"),
)
"""The declaration."""
