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
"""What takes the arguments that llem passes on, by the name the audit gives it."""


def introspect() -> Found:
    """Return the parameters of every surface."""
    return {name: _parameters(target) for name, target in SURFACES.items()}


def _parameters(target: Callable[..., Any]) -> list[FoundParameter]:
    return [
        FoundParameter(
            name=name,
            default_repr="" if one.default is one.empty else _short(one.default),
            annotation_text="" if one.annotation is one.empty else str(one.annotation),
        )
        for name, one in inspect.signature(target).parameters.items()
        if name != "self"
    ]


def _short(default: Any) -> str:
    """Return ``default`` as source; a factory's object is told by its class alone."""
    text = repr(default)
    return text if "<" not in text and len(text) < 80 else type(default).__name__
