"""Describe the engine, its devices and the loaded model.

The weights are in the engine's own processes, so the model is described from its files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from llem.api import ModelInfo
from llem.api.architecture import from_hf_config
from llem.api.arithmetic import Arithmetic
from llem.api.meta_count import arithmetic_of
from llem.api.meters import gpu_device_id

SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
"""Names under which configs list special token ids."""


def is_native(package: ModuleType) -> bool:
    """Whether ``package`` brings compiled libraries, without which no model runs.

    TensorRT-LLM computes in C++ and CUDA libraries inside its package. A fake written in Python
    can answer its calls without computing anything, so its runs are marked as simulated.
    """
    file = getattr(package, "__file__", None)
    return file is not None and next(Path(file).parent.rglob("*.so"), None) is not None


def used_devices(world_size: int) -> list[str]:
    """Return ``cuda:GPU-<uuid>`` of each rank's device; rank n uses visible device n."""
    import torch

    properties = (torch.cuda.get_device_properties(rank) for rank in range(world_size))
    return [gpu_device_id(device.uuid) for device in properties]


def used_bytes(world_size: int) -> int:
    """Return the memory in use on those devices, by all processes.

    The engine reserves nearly all memory for the KV cache before the first request, so the memory
    in use afterwards is the peak.
    """
    import torch

    free_and_total = (torch.cuda.mem_get_info(rank) for rank in range(world_size))
    return sum(total - free for free, total in free_and_total)


def model_folder(model: str, revision: str | None) -> Path:
    """Return the folder with the files of ``model``, which the engine has loaded already.

    Raises:
        OSError: A hub model is not in the local cache.
    """
    local = Path(model).expanduser()
    if local.is_dir():
        return local
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(model, revision=revision, local_files_only=True))


def model_info(folder: Path, args: Any) -> ModelInfo:
    """Return the description of the model in ``folder``.

    Args:
        folder: The model's folder.
        args: The engine's resolved arguments.
    """
    config, generation = _read(folder / "config.json"), _read(folder / "generation_config.json")
    # Models for text and images have a config of their own for the text part.
    text = config.get("text_config", config)
    sources = (generation, text, config)
    complete, arithmetic, note = _complete(folder, text)
    limits = (args.max_seq_len, complete.get("max_position_embeddings"))
    return ModelInfo(
        vocab_size=_vocab_size(complete),
        eos_token_ids=_eos_ids(sources),
        special_token_ids=_special_ids(sources),
        max_context_tokens=next((limit for limit in limits if limit is not None), None),
        # Quantization does not change the number of weights; their bytes are unknown here.
        parameters=None if arithmetic is None else arithmetic.parameters,
        weights_bytes=None,
        dtype=_dtype(args.dtype, {**config, **text}),
        arithmetic=arithmetic,
        arithmetic_note=note,
    )


def _complete(
    folder: Path, text: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Arithmetic | None, str]:
    """Return the text model's config with its defaults, its arithmetic, and a remark on that.

    Files name what differs from the defaults of the model's class, which transformers knows.
    """
    try:
        from transformers import AutoConfig

        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (ImportError, OSError, ValueError, KeyError) as error:
        arithmetic = from_hf_config(text)
        reason = f"transformers does not read the model's config ({error})".splitlines()[0]
        return text, arithmetic, reason if arithmetic is None else ""
    arithmetic, note = arithmetic_of(config)
    return config.get_text_config(decoder=True).to_dict(), arithmetic, note


def _vocab_size(config: Mapping[str, Any]) -> int:
    """Return the number of token ids.

    Raises:
        ValueError: The model's files do not say.
    """
    sizes = (config.get("vocab_size"), config.get("padded_vocab_size"))
    size = next((size for size in sizes if isinstance(size, int)), None)
    if size is None:
        raise ValueError("the model's config.json names no vocab_size")
    return size


def _dtype(resolved: str, config: Mapping[str, Any]) -> str | None:
    """Return the data type; ``auto`` means the checkpoint's."""
    named = config.get("dtype", config.get("torch_dtype"))
    return named if resolved == "auto" else resolved


def _eos_ids(sources: Sequence[Mapping[str, Any]]) -> list[int]:
    found = (_as_list(source.get("eos_token_id")) for source in sources)
    return next((ids for ids in found if ids), [])


def _special_ids(sources: Sequence[Mapping[str, Any]]) -> list[int]:
    found = (_as_list(source.get(name)) for source in sources for name in SPECIAL)
    return sorted({token for tokens in found for token in tokens if token >= 0})


def _as_list(value: Any) -> list[int]:
    if value is None:
        return []
    return [value] if isinstance(value, int) else [int(item) for item in value]


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
