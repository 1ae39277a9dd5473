"""Read the effective settings back from vLLM's resolved configuration.

vLLM fills in defaults that depend on device and model, and it overrides some settings silently:
``enforce_eager`` turns compilation off, and a platform without CUDA graphs drops them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from operator import attrgetter
from pathlib import Path
from typing import Any

from llem.api import Call, Construct
from llem.errors import shown

SECTIONS = (
    "model_config", "cache_config", "scheduler_config", "parallel_config", "load_config",
    "offload_config.uva", "offload_config.prefetch", "offload_config", "compilation_config",
    "attention_config", "kernel_config", "mamba_config",
)  # fmt: skip
"""Parts of a ``VllmConfig`` that hold arguments of ``EngineArgs`` under their own names."""

RENAMED = {
    "kv_cache_dtype": "cache_config.cache_dtype",
    "scheduling_policy": "scheduler_config.policy",
    "mamba_backend": "mamba_config.backend",
    "mamba_ssu_algorithm": "mamba_config.ssu_algorithm",
    "ir_op_priority": "kernel_config.ir_op_priority",
    "eplb_config": "parallel_config.eplb_config",
}
"""Arguments that a ``VllmConfig`` holds under another name."""

ALWAYS = (
    "dtype", "quantization", "load_format", "seed", "max_model_len", "kv_cache_dtype", "block_size",
    "gpu_memory_utilization", "kv_cache_memory_bytes", "enable_prefix_caching", "max_num_seqs",
    "max_num_batched_tokens", "enable_chunked_prefill", "async_scheduling", "scheduling_policy",
    "enforce_eager", "optimization_level", "performance_mode", "tensor_parallel_size",
    "pipeline_parallel_size", "enable_expert_parallel", "distributed_executor_backend",
    "moe_backend", "linear_backend", "compilation_config.mode", "compilation_config.backend",
    "compilation_config.cudagraph_mode", "compilation_config.cudagraph_capture_sizes",
    "cache_config.num_gpu_blocks",
)  # fmt: skip
"""Arguments that are always reported."""

UNCOMPARED = frozenset(
    {
        # File names become paths; sets have no order.
        "model", "tokenizer", "revision", "tokenizer_revision", "cpu_offload_params",
        "offload_params", "attention_backend",
        # vLLM adds entries to these.
        "compilation_config.custom_ops", "compilation_config.splitting_ops",
        "compilation_config.compile_sizes", "compilation_config.compile_ranges_endpoints",
        "compilation_config.inductor_compile_config", "ir_op_priority.rms_norm",
        "ir_op_priority.fused_add_rms_norm", "ir_op_priority.gelu_and_mul_sparse",
    }
)  # fmt: skip
"""Arguments whose effective value is not written like the requested one."""


def effective(vllm_config: Any, workers: Sequence[Mapping[str, Any]], load: Call) -> dict[str, Any]:
    """Return the effective values of the loading call, by ``load.<argument>``.

    Args:
        vllm_config: The resolved ``VllmConfig``.
        workers: The description that each worker gives of itself.
        load: The call, as planned.
    """
    names = dict.fromkeys((*ALWAYS, *_names(load.kwargs)))
    found = {
        f"load.{name}": _plain(value)
        for name in names
        if name not in UNCOMPARED
        for value in _values(vllm_config, name)
    }
    found["load.optimization_level"] = int(vllm_config.optimization_level)
    backends = sorted({name for worker in workers for name in worker["attention_backends"]})
    found["load.attention_backend"] = backends[0] if len(backends) == 1 else backends
    return found


def request_values(params: Any, sampling: Call) -> dict[str, Any]:
    """Return the effective parameters of a request, by ``sampling.<argument>``.

    Those that the plan sets, those that decide about sampling, and all that differ from the
    engine's defaults. The limit of the output differs between requests.
    """
    names = dict.fromkeys((*sampling.kwargs, "temperature", "top_p", "top_k", "min_p"))
    names |= dict.fromkeys(_changed(params))
    return {
        f"sampling.{name}": _plain(getattr(params, name)) for name in names if hasattr(params, name)
    }


def _changed(params: Any) -> Iterator[str]:
    """Yield the fields whose value is not that of parameters made without arguments."""
    try:
        default = type(params)()
    except TypeError:
        return  # beam search has no default width, and the plan sets all that it knows
    # msgspec's structs have no ``__dict__``.
    for name in getattr(params, "__struct_fields__", ()):
        public = not name.startswith("_") and name != "max_tokens"
        if public and getattr(params, name) != getattr(default, name):
            yield name


def speculation_differences(load: Call, effective: Mapping[str, Any]) -> Iterator[str]:
    """Yield each setting of speculation with another effective value.

    Core compares arguments and parts of objects; the settings of speculation are a dictionary.
    """
    settings = load.kwargs.get("speculative_config")
    for name, wanted in settings.items() if isinstance(settings, dict) else ():
        key = f"load.speculative_config.{name}"
        if key in effective and effective[key] != wanted:
            yield f"{key} was requested as {shown(wanted)} and is {shown(effective[key])}"


def _names(arguments: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield every argument by dotted name, including those of nested configs."""
    for name, value in arguments.items():
        if isinstance(value, Construct):
            yield from _names(value.kwargs, f"{prefix}{name}.")
        elif name == "speculative_config":
            yield from _names(value, f"{name}.")
        else:
            yield f"{prefix}{name}"


def _values(vllm_config: Any, name: str) -> Iterator[Any]:
    """Yield the value that ``vllm_config`` holds for an argument, if it holds one."""
    first, dot, rest = name.partition(".")
    if place := RENAMED.get(first):
        candidates = [place + dot + rest]
    else:
        candidates = [*(f"{section}.{name}" for section in SECTIONS), name]
    for path in candidates:
        try:
            yield attrgetter(path)(vllm_config)
        except AttributeError:
            continue
        return


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON data."""
    match value:
        case Enum():
            return value.name
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case set() | frozenset():
            return sorted(map(str, value))
        case Path():
            return str(value)
        case type():
            return f"{value.__module__}.{value.__qualname__}"
        case _:
            return str(value).removeprefix("torch.")
