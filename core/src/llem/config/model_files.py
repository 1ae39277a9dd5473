"""Does the model that an experiment names exist, as far as the disk can tell?"""

from __future__ import annotations

import difflib
from pathlib import Path

from llem.api.config import ModelConfig
from llem.api.finding import Finding
from llem.shapes import SHAPES


def missing_model(model: ModelConfig) -> Finding | None:
    """Return what is wrong with ``model.id``, or ``None``; a hub id is the engine's to judge."""
    if model.is_shape:
        return _missing_shape(model.id.removeprefix("shape:"))
    folder = Path(model.id).expanduser()
    if not folder.exists():
        if not model.id.startswith(("/", "./", "../", "~")):
            return None
        return Finding("model-missing", f"the folder {folder} does not exist", path="model.id")
    if not folder.is_dir():
        remedy = "Name the folder, and a GGUF file inside it with model.gguf_file."
        return Finding("model-missing", f"{folder} is not a folder", path="model.id", remedy=remedy)
    wanted = model.gguf_file or "config.json"
    if not (folder / wanted).is_file():
        path = "model.gguf_file" if model.gguf_file else "model.id"
        return Finding("model-missing", f"{folder} holds no {wanted}", path=path)
    return None


def _missing_shape(name: str) -> Finding | None:
    if name in SHAPES:
        return None
    near = difflib.get_close_matches(name, SHAPES, n=1)
    remedy = f"Did you mean 'shape:{near[0]}'?" if near else f"Known: {', '.join(SHAPES)}."
    return Finding("shape-unknown", f"there is no shape {name!r}", path="model.id", remedy=remedy)
