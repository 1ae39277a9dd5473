"""What the backend does through llem; it is experimental.

No claim is a full yes: the tests cover everything up to the engine's own calls, and nothing has run
on hardware yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from llem.api.capability import (
    BackendInfo,
    Capability,
    Claim,
    ComputeCapability,
    Condition,
    EngineRequirement,
    Gpus,
    Support,
)

NOT_RUN = "not run on hardware"
"""Part of the note of every claim."""

_NO = Claim(Support.NO)


def _planned(
    remark: str = "", *requires: Condition, settings: Mapping[str, Any] = MappingProxyType({})
) -> Claim:
    note = f"{remark}; {NOT_RUN}" if remark else NOT_RUN
    return Claim(Support.PARTIAL, note, requires, settings)


INFO = BackendInfo(
    name="trt",
    summary="experimental, not run on hardware: LLM.generate() with all requests at once",
    engine=EngineRequirement(
        distribution="tensorrt-llm",
        versions=">=1.2,<2",
        install='pip install "llem-trt[engine]"; or run llem inside the container '
        "nvcr.io/nvidia/tensorrt-llm/release",
    ),
    devices=("cuda",),
    claims={
        **dict.fromkeys(Capability, _NO),
        Capability.FLOAT16: _planned(),
        Capability.BFLOAT16: _planned("", ComputeCapability(8)),
        Capability.QUANTIZATION_8BIT: _planned(
            "FP8 checkpoints; INT8 by building an engine with 1.2", ComputeCapability(8, 9)
        ),
        Capability.QUANTIZATION_4BIT: _planned(
            "AWQ and GPTQ checkpoints; NVFP4 and MXFP4 from sm100", ComputeCapability(8)
        ),
        Capability.QUANTIZATION_OTHER: _planned("FP8 KV cache", ComputeCapability(8)),
        Capability.RANDOM_WEIGHTS: _planned(),
        Capability.CONTINUOUS_BATCHING: _planned(),
        Capability.PREFIX_CACHING: _planned("within one repetition"),
        Capability.COMPILE: _planned(settings={"trt.torch_compile.enabled": True}),
        Capability.BEAM_SEARCH: _planned(
            settings={
                "trt.max_beam_width": 2,
                "trt.sampling.beam_width": 2,
                "trt.disable_overlap_scheduler": True,
            }
        ),
        Capability.SPECULATIVE_DECODING: _planned(
            settings={"trt.speculation.method": "ngram", "trt.speculation.max_draft_len": 4}
        ),
        Capability.STREAMING_LATENCY: _planned("time to first token only"),
        Capability.TENSOR_PARALLEL: _planned("", Gpus(2), settings={"trt.tensor_parallel_size": 2}),
        Capability.PIPELINE_PARALLEL: _planned(
            "", Gpus(2), settings={"trt.pipeline_parallel_size": 2}
        ),
        Capability.DATA_PARALLEL: _planned(
            "attention only",
            Gpus(2),
            settings={"trt.enable_attention_dp": True, "trt.tensor_parallel_size": 2},
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
            "repetition_penalty",
            "min_new_tokens",
            "max_new_tokens",
            "stop",
            "seed",
            "ignore_eos",
        }
    ),
    versions_of=("torch", "transformers", "tensorrt", "flashinfer-python", "nvidia-modelopt"),
    variables=(
        "TLLM_ALLOW_N_GREEDY_DECODING",
        "TLLM_DISABLE_MPI",
        "TLLM_LOG_LEVEL",
        "TRTLLM_ENABLE_PDL",
        "FORCE_DETERMINISTIC",
        "NCCL_DEBUG",
    ),
)
"""The declaration."""
