"""What the model's linear layers really are: the trace that quantization leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from transformers import PreTrainedConfig

from llem.schema.call_plan import Call, Construct

EXPERTS = frozenset({"FP8Experts", "Mxfp4GptOssExperts"})
"""Classes of quantized experts, each of which holds the matrices of many linear layers."""


def linear_layers(model: Any) -> dict[str, int]:
    """Return the number of linear layers by class and type of weight, as ``Linear4bit[uint8]``."""
    found = Counter(filter(None, map(_layer, model.modules())))
    return dict(sorted(found.items()))


def _layer(module: torch.nn.Module) -> str | None:
    name = type(module).__name__
    if name in EXPERTS:
        return name
    if "Linear" not in name:
        return None
    # Packed layers, such as those of GPTQ, keep their weight under names of their own.
    stored = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    weight = getattr(module, "weight", stored[0] if stored else None)
    return None if weight is None else f"{name}[{_kind(weight)}]"


def is_quantized(model: Any) -> bool:
    """Whether any linear layer differs from a plain one."""
    plain = {f"Linear[{kind}]" for kind in ("float64", "float32", "float16", "bfloat16")}
    return bool(linear_layers(model).keys() - plain)


def should_be_quantized(load: Call) -> bool:
    """Whether the checkpoint, or what the plan lays over it, has quantized weights.

    The loaded model cannot tell: where the kernels are missing, transformers unpacks a checkpoint
    and forgets that it was quantized.
    """
    asked = load.kwargs.get("quantization_config")
    settings = asked.kwargs if isinstance(asked, Construct) else asked
    if isinstance(settings, Mapping):
        return not settings.get("dequantize")
    if not load.args:
        return False  # random weights are made from a config, and are dense
    revision = load.kwargs.get("revision")
    config, _ = PreTrainedConfig.get_config_dict(load.args[0], revision=revision)
    return "quantization_config" in config


def quantization(model: Any) -> dict[str, Any]:
    """Return how weights are quantized, read from the layers themselves where these tell."""
    config = getattr(model.config, "quantization_config", None)
    if config is None:
        return {"load.linear_layers": linear_layers(model)}
    method = getattr(config, "quant_method", None)
    found: dict[str, Any] = {
        "load.linear_layers": linear_layers(model),
        "load.quantization_method": str(getattr(method, "value", method)),
    }
    prefix = "load.quantization_config"
    for module in model.modules():
        if type(module).__name__ == "Linear4bit":
            state = module.weight.quant_state
            found |= {
                f"{prefix}.bnb_4bit_quant_type": module.weight.quant_type,
                f"{prefix}.bnb_4bit_use_double_quant": state is not None and state.nested,
                f"{prefix}.bnb_4bit_compute_dtype": _name(module.compute_dtype),
            }
            break
        if type(module).__name__ == "Linear8bitLt":
            found[f"{prefix}.llm_int8_threshold"] = float(module.state.threshold)
            break
    return found


def _kind(weight: torch.Tensor) -> str:
    """Return the type of a plain tensor's values, or the class of one that is more than that."""
    simple = type(weight) in (torch.Tensor, torch.nn.Parameter)
    named = type(weight).__name__ in ("Params4bit", "Int8Params")
    return _name(weight.dtype) if simple or named else type(weight).__name__


def _name(dtype: torch.dtype | None) -> str:
    return str(dtype).removeprefix("torch.")
