"""Write an embedded shape as a Hugging Face model folder without weights.

Its tokenizer is byte-level: one id per byte of UTF-8, no merges.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from llem.workload.shape_catalog import SHAPES

CACHE_VARIABLE = "LLEM_CACHE_DIR"
"""Environment variable with the cache folder; unset uses the user's cache folder."""

_PREFIX = "shape:"

BEGIN, END, PADDING = "<|begin|>", "<|end|>", "<|pad|>"
BEGIN_ID, END_ID, PADDING_ID = 0, 1, 2
_SPECIAL = (BEGIN, END, PADDING)

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


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


def byte_alphabet() -> list[str]:
    """Return the 256 printable characters that stand for the bytes 0 to 255.

    GPT-2's mapping: printable Latin-1 bytes map to themselves, the others to code points from 256.
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    moved = iter(range(256, 512))
    return [chr(byte if byte in printable else next(moved)) for byte in range(256)]


def tokenizer_json() -> dict[str, Any]:
    """Return the content of ``tokenizer.json``."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    texts = [*_SPECIAL, *byte_alphabet()]
    tokenizer = Tokenizer(models.BPE({text: id for id, text in enumerate(texts)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(_SPECIAL))
    content: dict[str, Any] = json.loads(tokenizer.to_str())
    return content


def tokenizer_config() -> dict[str, Any]:
    """Return the content of ``tokenizer_config.json``."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BEGIN,
        "eos_token": END,
        "pad_token": PADDING,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
    }
