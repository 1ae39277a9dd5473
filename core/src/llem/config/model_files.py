"""Check that an experiment's model exists on disk."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from llem.errors import Finding
from llem.schema.experiment import ModelConfig


def model_problems(model: ModelConfig) -> Iterator[Finding]:
    """Yield an error for a shape or local folder that does not exist or does not fit.

    The engine checks hub ids. ``models/foo`` may be a hub id or a folder; it counts as a folder
    if that folder exists.
    """
    if model.is_shape:
        yield from _unknown_shape(model.id.removeprefix("shape:"))
    elif is_folder(model.id) or _looks_like_path(model.id):
        yield from _bad_folder(model)
    other = model.tokenizer
    if other is not None and _looks_like_path(other) and not is_folder(other):
        yield Finding("tokenizer-missing", f"there is no folder {other}", path="model.tokenizer")


def is_folder(model_id: str) -> bool:
    """Whether ``model_id`` names an existing folder."""
    try:
        return Path(model_id).expanduser().is_dir()
    except (OSError, RuntimeError):  # longer than a path may be; an unknown home
        return False


def _looks_like_path(model_id: str) -> bool:
    return model_id in {".", "..", "~"} or model_id.startswith(("/", "./", "../", "~"))


def _bad_folder(model: ModelConfig) -> Iterator[Finding]:
    if not is_folder(model.id):
        yield Finding(
            code="model-missing",
            message=f"there is no folder {model.id}",
            path="model.id",
            hint="Name a folder with a config.json; a GGUF file is named by its folder here "
            "and its file name in model.gguf_file.",
        )
        return
    folder = Path(model.id).expanduser()
    if model.revision is not None:
        yield Finding(
            code="folder-has-no-revision",
            message=f"the folder {model.id} has no revisions",
            path="model.revision",
            hint="Remove model.revision.",
        )
    gguf_files = sorted(path.name for path in folder.glob("*.gguf"))
    if model.gguf_file is not None and not (folder / model.gguf_file).is_file():
        near = difflib.get_close_matches(model.gguf_file, gguf_files, n=1) or gguf_files
        yield Finding(
            code="model-missing",
            message=f"the folder {model.id} has no file {model.gguf_file}",
            path="model.gguf_file",
            hint=f"Did you mean {near[0]}?" if near else "",
        )
    if model.gguf_file is None and not (folder / "config.json").is_file():
        yield Finding(
            code="model-missing",
            message=f"the folder {model.id} has no config.json, so it holds no model",
            path="model.id",
            hint=f"Name its GGUF file: model.gguf_file: {gguf_files[0]}." if gguf_files else "",
        )


def _unknown_shape(name: str) -> Iterator[Finding]:
    from llem.workload.shape_catalog import SHAPES

    if name not in SHAPES:
        near = difflib.get_close_matches(name.lower(), SHAPES, n=1)
        known = ", ".join(f"shape:{shape}" for shape in SHAPES)
        yield Finding(
            code="shape-unknown",
            message=f"there is no shape {name!r}",
            path="model.id",
            hint=f"Did you mean shape:{near[0]}?" if near else f"Known: {known}.",
        )
