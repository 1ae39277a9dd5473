"""Write an embedded shape as a Hugging Face model folder without weights."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from llem.workload.byte_tokenizer import (
    BEGIN_ID,
    END_ID,
    PADDING_ID,
    tokenizer_config,
    tokenizer_json,
)
from llem.workload.shape_catalog import SHAPES

CACHE_VARIABLE = "LLEM_CACHE_DIR"
"""Environment variable with the cache folder; unset uses the user's cache folder."""

_PREFIX = "shape:"


def cache_folder() -> Path:
    """Return the folder for files that llem can write again at any time."""
    if CACHE_VARIABLE in os.environ:
        return Path(os.environ[CACHE_VARIABLE])
    from platformdirs import user_cache_path

    return user_cache_path("llem")


def shape_folder(model_id: str) -> Path:
    """Return the folder of the shape ``model_id`` (``shape:NAME``), which may not exist yet.

    Its name contains a hash of the content, so that a changed shape gets a new folder.

    Raises:
        KeyError: The shape is unknown.
    """
    name = model_id.removeprefix(_PREFIX)
    return cache_folder() / "shapes" / f"{name}-{_content_hash(name)}"


def write_shape(model_id: str) -> Path:
    """Write the folder of ``model_id`` unless it exists, and return it.

    Safe in concurrent processes: each writes to a temporary folder, and the first rename wins.

    Raises:
        KeyError: The shape is unknown.
        OSError: The cache folder is not writable.
    """
    folder = shape_folder(model_id)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        working.chmod(0o755)
        for name, text in _files(model_id.removeprefix(_PREFIX)).items():
            (working / name).write_text(text, encoding="utf-8")
        working.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return folder


@cache
def _content_hash(name: str) -> str:
    return hashlib.sha256(json.dumps(_files(name)).encode()).hexdigest()[:12]


@cache
def _files(name: str) -> dict[str, str]:
    config = {
        "architectures": ["LlamaForCausalLM"],
        **SHAPES[name].config,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "initializer_range": 0.02,
        "attention_bias": False,
        "mlp_bias": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        **_SPECIAL_IDS,
    }
    return {
        "config.json": _text(config),
        "generation_config.json": _text(_SPECIAL_IDS),
        "tokenizer.json": _text(tokenizer_json()),
        "tokenizer_config.json": _text(tokenizer_config()),
    }


_SPECIAL_IDS = {
    "bos_token_id": BEGIN_ID,
    "eos_token_id": END_ID,
    "pad_token_id": PADDING_ID,
}


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
