"""The parameters of the installed vLLM, read from its own signatures."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from vllm import LLM, EngineArgs, SamplingParams
from vllm.config import (
    AttentionConfig,
    CompilationConfig,
    EPLBConfig,
    KernelConfig,
    PassConfig,
    SpeculativeConfig,
)
from vllm.config.compilation import DynamicShapesConfig
from vllm.config.kernel import IrOpPriorityConfig
from vllm.config.quantization import QuantizationConfigArgs, QuantSpec
from vllm.sampling_params import BeamSearchParams

from llem.api.parameter_audit import Found, FoundParameter

SURFACES: dict[str, Callable[..., Any]] = {
    "vllm.EngineArgs": EngineArgs,
    "vllm.LLM": LLM,
    "vllm.LLM.generate": LLM.generate,
    "vllm.LLM.beam_search": LLM.beam_search,
    "vllm.SamplingParams": SamplingParams,
    "vllm.BeamSearchParams": BeamSearchParams,
    "vllm.CompilationConfig": CompilationConfig,
    "vllm.PassConfig": PassConfig,
    "vllm.DynamicShapesConfig": DynamicShapesConfig,
    "vllm.SpeculativeConfig": SpeculativeConfig,
    "vllm.AttentionConfig": AttentionConfig,
    "vllm.KernelConfig": KernelConfig,
    "vllm.IrOpPriorityConfig": IrOpPriorityConfig,
    "vllm.EPLBConfig": EPLBConfig,
    "vllm.QuantizationConfigArgs": QuantizationConfigArgs,
    "vllm.QuantSpec": QuantSpec,
}
"""Classes and functions that take arguments from llem, by their names in the audit."""


_EMPTY = inspect.Parameter.empty


def introspect() -> Found:
    """Return the parameters of every surface."""
    return {name: _parameters(target) for name, target in SURFACES.items()}


def _parameters(target: Callable[..., Any]) -> list[FoundParameter]:
    return [
        FoundParameter(
            name=name,
            default_repr="" if parameter.default is _EMPTY else _short(parameter.default),
            annotation_text="" if parameter.annotation is _EMPTY else str(parameter.annotation),
        )
        for name, parameter in inspect.signature(target).parameters.items()
        if name != "self"
    ]


def _short(default: Any) -> str:
    """Return ``default`` as source; for an object without short source, its class name."""
    text = repr(default)
    return text if "<" not in text and len(text) < 80 else type(default).__name__
