"""One short generation after the runs, to see which cache the library really makes."""

from __future__ import annotations

from typing import Any

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
    layers = sorted({type(layer).__name__ for layer in getattr(cache, "layers", ())})
    return {
        "generate.use_cache": True,
        "generate.cache_class": type(cache).__name__,
        "generate.cache_layers": layers,
        "generate.cache_implementation": _implementation(cache),
    }


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
