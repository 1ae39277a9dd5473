"""Check an experiment against this machine and the model's files, before anything starts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llem.api import Experiment, Finding
from llem.api.capability import HostInfo
from llem.errors import counted
from llem_vllm.config import VLLMFields
from llem_vllm.rules.loading import PREPARED


def review(experiment: Experiment, facts: HostInfo) -> Iterator[Finding]:
    """Yield findings against running ``experiment`` on the machine of ``facts``."""
    section = experiment.section_as(VLLMFields)
    config = model_config(experiment)
    if config is not None:
        yield from _heads(section, config)
        yield from _context(experiment, section, config)
        yield from _experts(section, config)
        yield from _checkpoint(experiment, section, config)


def model_config(experiment: Experiment) -> Mapping[str, Any] | None:
    """Return the ``config.json`` of a model folder; ``None`` where there is none."""
    file = Path(experiment.model.id).expanduser() / "config.json"
    if experiment.model.is_shape or not file.is_file():
        return None
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return None  # the engine reports it better
    return config if isinstance(config, dict) else None


def _first(config: Mapping[str, Any], *names: str) -> Any:
    """Return the first value that is given; the text part of a model for images has its own."""
    text = config.get("text_config")
    parts = (text, config) if isinstance(text, Mapping) else (config,)
    found = (part[name] for part in parts for name in names if part.get(name) is not None)
    return next(found, None)


def _heads(section: VLLMFields, config: Mapping[str, Any]) -> Iterator[Finding]:
    size = section.tensor_parallel_size or 1
    heads = _first(config, "num_attention_heads", "n_head", "num_heads")
    if isinstance(heads, int) and heads % size:
        yield Finding(
            code="heads-not-divisible",
            message=f"{counted(heads, 'attention head')} of the model cannot be split over "
            f"{counted(size, 'device')}.",
            path="vllm.tensor_parallel_size",
            hint=f"Use a divisor of {heads}.",
        )


def _context(
    experiment: Experiment, section: VLLMFields, config: Mapping[str, Any]
) -> Iterator[Finding]:
    requested = section.max_model_len
    limit = _first(config, "max_position_embeddings", "n_positions")
    scaled = _first(config, "rope_scaling")
    rope = _first(config, "rope_parameters")
    if isinstance(rope, Mapping):
        # Models with windows have parameters for each kind of layer.
        parts = (rope, *(part for part in rope.values() if isinstance(part, Mapping)))
        scaled = scaled or any(part.get("factor") for part in parts)
    if requested is not None and isinstance(limit, int) and not scaled and requested > limit:
        yield Finding(
            code="context-longer-than-model",
            message=f"the model's limit is {counted(limit, 'token')}.",
            path="vllm.max_model_len",
            hint="Lower it, or set VLLM_ALLOW_LONG_MAX_MODEL_LEN=1 in runner.env if the model can "
            "handle it.",
            severity="warning" if _allows_long(experiment) else "error",
        )


def _allows_long(experiment: Experiment) -> bool:
    return experiment.runner.env.get("VLLM_ALLOW_LONG_MAX_MODEL_LEN") == "1"


def _experts(section: VLLMFields, config: Mapping[str, Any]) -> Iterator[Finding]:
    if section.enable_expert_parallel and not _names_experts(config):
        yield Finding(
            code="no-experts",
            message="the model has no experts to spread.",
            path="vllm.enable_expert_parallel",
            hint="Remove it; vllm.tensor_parallel_size splits dense layers.",
        )


def _names_experts(config: Mapping[str, Any]) -> bool:
    """Whether a key of the config, at any level, speaks of experts."""
    parts = [value for value in config.values() if isinstance(value, Mapping)]
    named = any(
        value and ("expert" in name or "moe" in name or name == "auto_map")
        for name, value in config.items()
    )
    return named or any(map(_names_experts, parts))


def _checkpoint(
    experiment: Experiment, section: VLLMFields, config: Mapping[str, Any]
) -> Iterator[Finding]:
    method = section.quantization
    if method in PREPARED and not _is_quantized(experiment, config):
        yield Finding(
            code="checkpoint-not-quantized",
            message=f"{method} needs quantized weights, and this checkpoint's are not quantized.",
            path="vllm.quantization",
            hint="Use a checkpoint prepared for it, or a method that quantizes while loading, "
            "such as fp8.",
        )


_QUANTIZATION_KEYS = ("quantization_config", "compression_config")
_QUANTIZATION_FILES = ("hf_quant_config.json", "quantize_config.json", "quant_config.json")
"""Where ModelOpt, AutoGPTQ and AutoAWQ describe what they did, instead of in ``config.json``."""


def _is_quantized(experiment: Experiment, config: Mapping[str, Any]) -> bool:
    folder = Path(experiment.model.id).expanduser()
    described = any((folder / name).is_file() for name in _QUANTIZATION_FILES)
    return described or _first(config, *_QUANTIZATION_KEYS) is not None
