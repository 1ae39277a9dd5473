"""Read the effective settings back from the engine's resolved arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from operator import attrgetter
from pathlib import Path
from typing import Any

from llem.api import Call, Construct, Symbol

ALWAYS = (
    "dtype", "load_format", "max_batch_size", "max_num_tokens", "max_seq_len", "max_beam_width",
    "tensor_parallel_size", "pipeline_parallel_size", "context_parallel_size", "attn_backend",
    "enable_chunked_prefill", "disable_overlap_scheduler", "kv_cache_config.dtype",
    "kv_cache_config.enable_block_reuse", "kv_cache_config.free_gpu_memory_fraction",
    "kv_cache_config.tokens_per_block", "scheduler_config.capacity_scheduler_policy",
    "cuda_graph_config.batch_sizes", "cuda_graph_config.enable_padding", "torch_compile_config",
    "moe_config.backend",
)  # fmt: skip
"""Arguments that are always reported."""

UNCOMPARED = frozenset({"model", "tokenizer", "revision", "tokenizer_revision"})
"""Arguments that the engine replaces: a name by a folder, a tokenizer's name by the tokenizer."""


def effective(args: Any, load: Call) -> dict[str, Any]:
    """Return the effective values of the loading call, by ``load.<argument>``.

    A value that means the same as the requested one is written like it.

    Args:
        args: The ``args`` of the ``LLM``.
        load: The call, as planned.
    """
    requested = dict(_flat(load.kwargs))
    found = {}
    for name in dict.fromkeys((*ALWAYS, *requested)):
        if name.partition(".")[0] in UNCOMPARED:
            continue
        try:
            value = plain(attrgetter(name)(args))
        except AttributeError:
            continue  # only the other execution or surface has it, or a setting turned it off
        wanted = requested.get(name)
        found[f"load.{name}"] = wanted if _mean_the_same(wanted, value) else value
    return found


def _mean_the_same(requested: Any, found: Any) -> bool:
    if isinstance(requested, list) and isinstance(found, list):
        # The engine sorts the sizes that it captures.
        return sorted(map(str, requested)) == sorted(map(str, found))
    if isinstance(requested, str):
        # A member of an enumeration is requested by its dotted name.
        return requested.rpartition(".")[2] == str(found)
    return str(requested) == str(found)


def _flat(arguments: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every argument by dotted name, including those inside objects."""
    for name, value in arguments.items():
        match value:
            case Construct(_, inside):
                yield from _flat(inside, f"{prefix}{name}.")
            case Symbol(path):
                yield f"{prefix}{name}", path
            case _:
                yield f"{prefix}{name}", value


def request_values(params: Any, sampling: Call) -> dict[str, Any]:
    """Return the effective parameters of a request, by ``sampling.<argument>``.

    Those that the plan sets, those that decide about sampling, and all that differ from the
    engine's defaults. The limit of the output differs between requests.
    """
    names = dict.fromkeys((*sampling.kwargs, "top_p", "top_k", "temperature"))
    names |= dict.fromkeys(_changed(params))
    return {
        f"sampling.{name}": plain(getattr(params, name)) for name in names if hasattr(params, name)
    }


def _changed(params: Any) -> Iterator[str]:
    """Yield the fields whose value is not that of parameters made without arguments."""
    for field in fields(params) if is_dataclass(params) else ():
        public = not field.name.startswith("_") and field.name != "max_tokens"
        if public and field.default is not MISSING and getattr(params, field.name) != field.default:
            yield field.name


def quantization(args: Any) -> str:
    """Return the algorithm of the checkpoint or the built engine."""
    algorithm = args.quant_config.quant_algo
    return "NO_QUANT" if algorithm is None else str(plain(algorithm))


def cache_dtype(args: Any) -> str:
    """Return the type of the KV cache; ``auto`` takes the checkpoint's, if it names one."""
    named = str(plain(getattr(args.kv_cache_config, "dtype", "auto")))
    checkpoint = getattr(args.quant_config, "kv_cache_quant_algo", None)
    if named == "auto" and checkpoint is not None:
        return str(plain(checkpoint))
    return named


def plain(value: Any) -> Any:
    """Return ``value`` as JSON data."""
    match value:
        # The engine names loading formats in upper case, and the config in lower case.
        case Enum():
            return value.value if isinstance(value.value, str) else value.name.lower()
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted(map(str, value))
        case Path():
            return str(value)
        case _:
            return type(value).__name__
