"""Read back from the live model what was in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from llem.api import CallPlan, PlanExecutor
from llem.schema.decoder import SAMPLING_FIELDS
from llem_pytorch.runtime import layers, numerics
from llem_pytorch.runtime.compiled import Compiled
from llem_pytorch.runtime.continuous import ContinuousBatches
from llem_pytorch.runtime.facts import devices, parameter_count
from llem_pytorch.runtime.generation_defaults import changed
from llem_pytorch.runtime.probe import probe_cache
from llem_pytorch.runtime.static import StaticBatches

GENERATION = (
    "do_sample",
    "repetition_penalty",
    "min_new_tokens",
    "num_beams",
    "num_return_sequences",
    "use_cache",
    "cache_implementation",
    "eos_token_id",
)
"""Generation settings that are reported even at the library's default; all others where they
differ from it."""

Effective = dict[str, Any]


def check_attention(model: Any, plan: CallPlan) -> None:
    """Check that the attention kernel is the one asked for.

    Raises:
        RuntimeError: The library replaced it, and the plan does not allow that.
    """
    wanted = plan.call("load").kwargs.get("attn_implementation")
    found = model.config._attn_implementation
    if wanted in (None, found) or plan.settings.get("allow_kernel_fallback"):
        return
    raise RuntimeError(f"transformers replaced the attention kernel {wanted} by {found}")


def effective(
    executor: PlanExecutor,
    batching: StaticBatches | ContinuousBatches,
    compiled: Compiled | None,
) -> Effective:
    """Return the effective values by ``<call>.<argument>`` or ``settings.<name>``."""
    model, plan = executor.objects["model"], executor.plan
    return {
        "load.dtype": str(model.dtype),
        "load.attn_implementation": model.config._attn_implementation,
        "load.experts_implementation": getattr(model.config, "_experts_implementation", None),
        **layers.quantization(model),
        **_generation(executor),
        "settings.device": model.device.type,
        "settings.devices": [str(device) for device in devices(model)],
        "settings.seed": torch.initial_seed(),
        **numerics.effective(plan.settings),
        **_drafting(executor),
        **_batches(executor, batching),
        **(_library_compilation(model) if compiled is None else compiled.effective()),
    }


def reasons(executor: PlanExecutor, compiled: Compiled | None) -> dict[str, str]:
    """Return what the session knows went wrong, by code."""
    found = {} if compiled is None else compiled.reasons()
    model, load = executor.objects["model"], executor.plan.call("load")
    if layers.should_be_quantized(load) and not layers.is_quantized(model):
        found["quantization-not-applied"] = (
            "no layer of the loaded model is quantized; pytorch.quantization.dequantize: true asks "
            "for a checkpoint that is unpacked"
        )
    if "experts_implementation" in load.kwargs and not _has_experts(model):
        found["dormant-setting"] = (
            "pytorch.experts_implementation changes nothing: the model has no mixture of experts"
        )
    return found


def memory(used: Sequence[torch.device]) -> dict[str, int]:
    """Return the peak memory of the CUDA devices ``used``; nothing without any."""
    if not used:
        return {}
    return {
        "device_peak_bytes": sum(torch.cuda.max_memory_allocated(device) for device in used),
        "device_peak_reserved_bytes": sum(
            torch.cuda.max_memory_reserved(device) for device in used
        ),
    }


def _generation(executor: PlanExecutor) -> Effective:
    """Return what ``generate()`` makes of its arguments, the model's defaults and its own.

    The method is not public, but it is the one ``generate()`` itself resolves them with.
    """
    model, generate = executor.objects["model"], executor.plan.call("generate")
    arguments = executor.arguments("generate")
    arguments = {name: arguments[name] for name in generate.kwargs}
    arguments.pop("continuous_batching_config", None)
    config, _ = model._prepare_generation_config(None, **arguments)
    names = dict.fromkeys((*GENERATION, *arguments))
    if config.do_sample:
        names |= dict.fromkeys(SAMPLING_FIELDS)
    values = {name: getattr(config, name) for name in names if hasattr(config, name)}
    values |= {name: value for name, value in changed(config).items() if name not in values}
    mode = config.get_generation_mode("assistant_model" in generate.runtime or None)
    return {
        "generate.mode": mode.value,
        **{f"generate.{name}": value for name, value in values.items() if _is_plain(value)},
    }


def _drafting(executor: PlanExecutor) -> Effective:
    """Return how the drafting model is told to draft, from its own config."""
    objects = executor.objects
    drafter = objects["assistant_model" if "assistant_model" in objects else "model"]
    names = [
        name
        for call in executor.plan.calls
        if call.name == "draft_settings"
        for name in call.kwargs
    ]
    found = {f"draft_settings.{name}": getattr(drafter.generation_config, name) for name in names}
    if "assistant_model" in objects:
        found["assistant.dtype"] = str(drafter.dtype)
        found["assistant.parameters"] = parameter_count(drafter)
    return found


def _batches(executor: PlanExecutor, batching: StaticBatches | ContinuousBatches) -> Effective:
    if isinstance(batching, ContinuousBatches):
        return batching.effective
    sizes = [len(batch.requests) for batch in batching.batches]
    order = [request.index for batch in batching.batches for request in batch.requests]
    return {
        "settings.batching": "static",
        "settings.batch_size": max(sizes, default=0),
        "settings.batch_order": "workload" if order == sorted(order) else "length",
        **probe_cache(
            executor.objects["model"], {**executor.arguments("generate"), **batching.arguments[0]}
        ),
    }


def _library_compilation(model: Any) -> Effective:
    """Return whether the library compiled by itself, as it does for a static cache on CUDA."""
    return {"settings.torch_compile": hasattr(model, "_compiled_call")}


def _has_experts(model: Any) -> bool:
    text = model.config.get_text_config(decoder=True)
    names = ("num_experts", "num_local_experts", "n_routed_experts")
    return any(getattr(text, name, None) for name in names)


def _is_plain(value: Any) -> bool:
    """Whether ``value`` is JSON."""
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, bool | int | float | str)
