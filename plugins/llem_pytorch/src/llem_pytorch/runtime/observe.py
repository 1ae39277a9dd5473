"""Read back from the live model what was in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from llem.api.plan import Call
from llem_pytorch.rules import SAMPLING_FIELDS
from llem_pytorch.runtime.batches import Batch
from llem_pytorch.runtime.facts import devices

GENERATION = (
    "do_sample",
    "repetition_penalty",
    "min_new_tokens",
    "num_beams",
    "use_cache",
    "cache_implementation",
    "eos_token_id",
)
"""Generation settings that are reported whether or not they were asked for."""


def effective(
    model: Any, generate: Call, batches: Sequence[Batch]
) -> dict[str, bool | int | float | str | list[Any] | None]:
    """Return the effective values by ``<call>.<argument>`` or ``settings.<name>``."""
    return {
        "load.dtype": str(model.dtype),
        "load.attn_implementation": model.config._attn_implementation,
        **_generation(model, generate),
        "settings.batch_size": max((len(batch.requests) for batch in batches), default=0),
        "settings.device": model.device.type,
        "settings.devices": [str(device) for device in devices(model)],
        "settings.num_threads": torch.get_num_threads(),
        "settings.seed": torch.initial_seed(),
    }


def _generation(model: Any, generate: Call) -> dict[str, Any]:
    """Return what ``generate()`` makes of its arguments, the model's defaults and its own.

    The method is not public, but it is the one ``generate()`` itself resolves them with.
    """
    config, _ = model._prepare_generation_config(None, **generate.kwargs)
    names = dict.fromkeys((*GENERATION, *generate.kwargs))
    if config.do_sample:
        names |= dict.fromkeys(("temperature", *SAMPLING_FIELDS))
    return {f"generate.{name}": getattr(config, name) for name in names if hasattr(config, name)}


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
