"""What the model's linear layers really are: the trace that quantisation leaves."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch


def linear_layers(model: Any) -> dict[str, int]:
    """Return the number of linear layers by class and type of weight, as ``Linear4bit[uint8]``."""
    found = Counter(
        f"{type(module).__name__}[{_kind(module.weight)}]"
        for module in model.modules()
        if "Linear" in type(module).__name__ and getattr(module, "weight", None) is not None
    )
    return dict(sorted(found.items()))


def is_quantised(model: Any) -> bool:
    """Whether any linear layer differs from a plain one."""
    plain = {f"Linear[{kind}]" for kind in ("float64", "float32", "float16", "bfloat16")}
    return bool(linear_layers(model).keys() - plain)


def quantisation(model: Any) -> dict[str, Any]:
    """Return how weights are quantised, read from the layers themselves where these tell."""
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
