"""The NVIDIA architectures that run each quantization, from TensorRT-LLM's documentation.

Source: the hardware support matrix of its page on quantization. Algorithms that the matrix does not
list belong to the legacy TensorRT execution, whose kernels begin with Ampere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

Algorithm = Literal[
    "W8A16",
    "W4A16",
    "W4A16_AWQ",
    "W4A8_AWQ",
    "W8A16_GPTQ",
    "W4A16_GPTQ",
    "W8A8_SQ_PER_CHANNEL",
    "W8A8_SQ_PER_TENSOR_PLUGIN",
    "W8A8_SQ_PER_CHANNEL_PER_TOKEN_PLUGIN",
    "W8A8_SQ_PER_CHANNEL_PER_TENSOR_PLUGIN",
    "W8A8_SQ_PER_TENSOR_PER_TOKEN_PLUGIN",
    "W4A8_QSERVE_PER_GROUP",
    "W4A8_QSERVE_PER_CHANNEL",
    "FP8",
    "FP8_PER_CHANNEL_PER_TOKEN",
    "FP8_BLOCK_SCALES",
    "INT8",
    "MIXED_PRECISION",
    "NVFP4",
    "W4A8_NVFP4_FP8",
    "W4A8_MXFP4_FP8",
    "W4A8_MXFP4_MXFP8",
    "W4A16_MXFP4",
    "NO_QUANT",
]
"""The algorithms of quantization that TensorRT-LLM knows: every ``QuantAlgo``."""

Architecture = Literal["Ampere", "Ada", "Hopper", "Blackwell sm100", "Blackwell sm120"]

AMPERE: Architecture = "Ampere"
ADA: Architecture = "Ada"
HOPPER: Architecture = "Hopper"
DATA_CENTER_BLACKWELL: Architecture = "Blackwell sm100"
WORKSTATION_BLACKWELL: Architecture = "Blackwell sm120"

BEGINS_WITH: Mapping[Architecture, tuple[int, int]] = {
    AMPERE: (8, 0),
    ADA: (8, 9),
    HOPPER: (9, 0),
    DATA_CENTER_BLACKWELL: (10, 0),
    WORKSTATION_BLACKWELL: (12, 0),
}
"""First compute capability of each architecture."""

BFLOAT16_CAPABILITY = (8, 0)
"""First compute capability for which versions before 1.3 accept bfloat16."""

_EVERY = (AMPERE, ADA, HOPPER, DATA_CENTER_BLACKWELL, WORKSTATION_BLACKWELL)
_FP8 = (ADA, HOPPER, DATA_CENTER_BLACKWELL, WORKSTATION_BLACKWELL)
_BLACKWELL = (DATA_CENTER_BLACKWELL, WORKSTATION_BLACKWELL)
_FOUR_BIT_WEIGHTS = (AMPERE, ADA, HOPPER, DATA_CENTER_BLACKWELL)
_FOUR_BIT_WEIGHTS_FP8 = (ADA, HOPPER, DATA_CENTER_BLACKWELL)

RUNS_ON: Mapping[Algorithm, tuple[Architecture, ...]] = {
    "FP8": _FP8,
    "FP8_PER_CHANNEL_PER_TOKEN": (HOPPER,),
    "FP8_BLOCK_SCALES": (HOPPER, DATA_CENTER_BLACKWELL),
    "NVFP4": _BLACKWELL,
    "W4A8_NVFP4_FP8": _BLACKWELL,
    "W4A8_MXFP4_FP8": _BLACKWELL,
    "W4A8_MXFP4_MXFP8": _BLACKWELL,
    # The matrix lists MXFP4 arithmetic; this algorithm unpacks MXFP4, which Hopper can do too.
    "W4A16_MXFP4": (HOPPER, *_BLACKWELL),
    "W4A16_AWQ": _FOUR_BIT_WEIGHTS,
    "W4A16_GPTQ": _FOUR_BIT_WEIGHTS,
    "W4A8_AWQ": _FOUR_BIT_WEIGHTS_FP8,
}
"""Architectures of an algorithm; an algorithm missing here runs from Ampere on."""

KV_CACHE_RUNS_ON: Mapping[str, tuple[Architecture, ...]] = {
    "fp8": _EVERY,
    "nvfp4": (DATA_CENTER_BLACKWELL,),
}
"""Architectures of a KV cache's data type; a type missing here runs everywhere."""


def architecture_of(compute_capability: tuple[int, int]) -> Architecture | None:
    """Return the architecture of a device; ``None`` for an unknown device."""
    match compute_capability:
        case (8, 9):
            return ADA
        case (8, _):
            return AMPERE
        case (9, _):
            return HOPPER
        case (10, _):
            return DATA_CENTER_BLACKWELL
        case (12, _):
            return WORKSTATION_BLACKWELL
    return None


def algorithm_runs_on(algorithm: Algorithm) -> tuple[Architecture, ...]:
    """Return the architectures that ``algorithm`` runs on."""
    return RUNS_ON.get(algorithm, _EVERY)


def elsewhere(runs_on: Mapping[Any, tuple[Architecture, ...]]) -> str:
    """Say for which architectures values are documented; other devices are refused them."""
    listed = (f"{value} on {', '.join(names)}" for value, names in runs_on.items())
    return f"the GPU is of an architecture that it is not documented for ({'; '.join(listed)})"


def _least(architectures: tuple[Architecture, ...]) -> tuple[int, int]:
    return min(BEGINS_WITH[architecture] for architecture in architectures)


ALGORITHM_NEEDS: Mapping[Algorithm, tuple[int, int]] = {
    algorithm: _least(algorithm_runs_on(algorithm))
    for algorithm in get_args(Algorithm)
    if algorithm != "NO_QUANT"
}
"""Least compute capability of each algorithm."""

KV_CACHE_NEEDS: Mapping[str, tuple[int, int]] = {
    dtype: _least(architectures) for dtype, architectures in KV_CACHE_RUNS_ON.items()
}
"""Least compute capability of each data type of the KV cache."""
