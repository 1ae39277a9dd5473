"""What the loaded model is, and where it is."""

from __future__ import annotations

import copy
from typing import Any

import torch
from transformers.initialization import no_init_weights

from llem.api.meta_count import arithmetic_of
from llem.api.meters import gpu_device_id
from llem.api.session import ModelInfo
from llem.api.weight_storage import holds_packed_weights, weights_bytes
from llem_pytorch.runtime.generation_defaults import token_ids


def model_facts(model: Any) -> ModelInfo:
    """Return the facts of a loaded ``transformers`` model."""
    config = model.config.get_text_config(decoder=True)
    arithmetic, note = arithmetic_of(model.config, type(model))
    return ModelInfo(
        vocab_size=config.vocab_size,
        eos_token_ids=eos_ids(model),
        special_token_ids=_special_ids(model, config),
        max_context_tokens=getattr(config, "max_position_embeddings", None),
        parameters=parameter_count(model),
        weights_bytes=weights_bytes(model),
        dtype=str(model.dtype).removeprefix("torch."),
        tf32=torch.backends.cuda.matmul.allow_tf32,
        arithmetic=arithmetic,
        arithmetic_note=note,
    )


def parameter_count(model: Any) -> int:
    """Return the number of weights, each once, as the same model has without quantization."""
    if holds_packed_weights(model):
        config = copy.deepcopy(model.config)
        vars(config).pop("quantization_config", None)
        with torch.device("meta"), no_init_weights():
            model = type(model)(config)
        model.tie_weights()
    return sum(weight.numel() for weight in model.parameters())


def eos_ids(model: Any) -> list[int]:
    """Return the ids at which the model's own ``generation_config`` ends a request."""
    return token_ids(model.generation_config.eos_token_id)


def devices(model: Any) -> list[torch.device]:
    """Return the devices that hold the model, in order of first use."""
    placement = getattr(model, "hf_device_map", None)
    if placement:
        return list(dict.fromkeys(_as_device(place) for place in placement.values()))
    return list(dict.fromkeys(weight.device for weight in model.parameters()))


def device_name(device: torch.device) -> str:
    """Return the name that meters know ``device`` by: ``cpu``, or ``cuda:GPU-<uuid>``."""
    if device.type != "cuda":
        return str(device.type)
    return gpu_device_id(torch.cuda.get_device_properties(device).uuid)


def _special_ids(model: Any, config: Any) -> list[int]:
    """Return the ids with a meaning of their own, as far as the configs name them."""
    names = ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
    sources = (model.generation_config, config)
    found = [token_ids(getattr(source, name, None)) for source in sources for name in names]
    return sorted({token for tokens in found for token in tokens if token >= 0})


def _as_device(place: Any) -> torch.device:
    if isinstance(place, int):
        return torch.device("cuda", place)
    # Weights on disk are computed with on the CPU or moved from there.
    return torch.device("cpu" if place == "disk" else place)
