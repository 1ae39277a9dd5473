"""The model's tokenizer, read by the host itself from the files that ship with the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llem.api.config import ModelConfig
from llem.api.errors import WorkloadError
from llem.api.session import TokenizerExport

_FILE = "tokenizer.json"


def find_tokenizer(model: ModelConfig) -> TokenizerExport | None:
    """Return the tokenizer of ``model``, or the other one it names.

    Args:
        model: The model; an embedded shape by its folder.

    Returns:
        ``None`` when the model has no ``tokenizer.json``; the engine may have one then.

    Raises:
        WorkloadError: ``model.tokenizer`` names one that cannot be had.
    """
    if model.tokenizer is not None:
        found = _from(model.tokenizer, None)
        if found is None:
            raise WorkloadError(
                f"{model.tokenizer} holds no {_FILE}",
                hint="model.tokenizer names a hub id or a folder with a tokenizer.json.",
            )
        return found
    # A GGUF file carries a tokenizer of its own, which only the engine can read.
    return None if model.gguf_file else _from(model.id, model.revision)


def _from(model_id: str, revision: str | None) -> TokenizerExport | None:
    folder = Path(model_id).expanduser()

    def read(name: str) -> str | None:
        path = folder / name if folder.is_dir() else _from_hub(model_id, name, revision)
        return path.read_text(encoding="utf-8") if path is not None and path.is_file() else None

    tokenizer_json = read(_FILE)
    if tokenizer_json is None:
        return None
    config = json.loads(read("tokenizer_config.json") or "{}")
    return TokenizerExport(
        tokenizer_json=tokenizer_json,
        chat_template=read("chat_template.jinja") or _default_template(config.get("chat_template")),
        special_tokens=_special_tokens(config),
    )


def _from_hub(model_id: str, name: str, revision: str | None) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

    try:
        return Path(hf_hub_download(model_id, name, revision=revision))
    # Offline and not cached counts as "not found" here; a missing model is the engine's to report.
    except (EntryNotFoundError, HfHubHTTPError, HFValidationError, OSError):
        return None


def _default_template(template: Any) -> str | None:
    """Return the template; of several named ones, the one called ``default``."""
    if isinstance(template, list):
        named = {entry["name"]: entry["template"] for entry in template}
        return named.get("default")
    return template if isinstance(template, str) else None


def _special_tokens(config: dict[str, Any]) -> dict[str, str]:
    """Return the special tokens a chat template may name, such as ``bos_token``."""
    found = {}
    for name, value in config.items():
        text = value.get("content") if isinstance(value, dict) else value
        if name.endswith("_token") and isinstance(text, str):
            found[name] = text
    return found
