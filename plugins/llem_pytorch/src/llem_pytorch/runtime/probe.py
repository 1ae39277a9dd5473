"""One short generation after the runs, to see which cache the library really makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch

from llem.api.weight_storage import cache_value_bytes, tensor_bytes

TOKENS = 4
"""Prompt tokens of the probe: enough to generate from, too few to cost anything."""


def probe_cache(model: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the key-value cache that ``generate()`` makes with ``arguments``.

    Args:
        model: The model; what is compiled of it is put aside, so as not to compile the probe.
        arguments: Those of a measured call; its prompts and limits are replaced.
    """
    arguments = {
        name: value
        for name, value in arguments.items()
        if name not in ("stopping_criteria", "assistant_model", "assistant_tokenizer", "tokenizer")
    }
    compiled, model._compiled_call_impl = model._compiled_call_impl, None
    output = model.generate(
        **{
            **arguments,
            "input_ids": arguments["input_ids"][:1, -TOKENS:],
            "attention_mask": arguments["attention_mask"][:1, -TOKENS:],
            "max_new_tokens": 2,
            "disable_compile": True,
            "return_dict_in_generate": True,
        }
    )
    model._compiled_call_impl = compiled
    cache = output.past_key_values
    if cache is None:
        return {"generate.use_cache": False, "generate.cache_class": None}
    layers = list(getattr(cache, "layers", ()))
    settings = {
        f"generate.cache_{name}": getattr(layers[0], name)
        for name in ("nbits", "q_group_size", "residual_length")
        if layers and hasattr(layers[0], name)
    }
    return {
        "generate.use_cache": True,
        "generate.cache_class": type(cache).__name__,
        "generate.cache_layers": sorted({type(layer).__name__ for layer in layers}),
        "generate.cache_implementation": _implementation(cache),
        "generate.cache_bytes_per_value": _bytes_per_value(layers),
        **settings,
    }


_TOKENS_TO_QUANTIZE = 512
"""Tokens of which a quantized layer is asked to store keys: a multiple of every group size."""


def _bytes_per_value(layers: Sequence[Any]) -> float | Literal["model", "unknown"]:
    """Return the bytes of one value, counted in the layers that hold keys.

    A quantized layer keeps its latest tokens in full precision; the figure is that of the others.
    """
    for layer in layers:
        quantized = getattr(layer, "_quantized_keys", None)
        if quantized is not None:
            keys = layer._dequantize(quantized)
            some = torch.randn(
                (*keys.shape[:2], _TOKENS_TO_QUANTIZE, keys.shape[3]),
                dtype=keys.dtype,
                device=keys.device,
            )
            axis = {"axis": layer.axis_key} if hasattr(layer, "axis_key") else {}
            return float(tensor_bytes(layer._quantize(some, **axis)) / some.numel())
        keys = getattr(layer, "keys", None)
        if isinstance(keys, torch.Tensor) and keys.numel():
            return cache_value_bytes(str(keys.dtype))
    return "model"


def _implementation(cache: Any) -> str:
    """Return the name under which ``cache_implementation`` knows ``cache``."""
    offloaded = bool(getattr(cache, "offloading", False))
    match type(cache).__name__:
        case "QuantizedCache":
            return "quantized"
        case "StaticCache":
            return "offloaded_static" if offloaded else "static"
        case "DynamicCache":
            return "offloaded" if offloaded else "dynamic"
        case other:
            return other
