"""Check that an experiment's model exists on disk."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from llem.errors import Finding
from llem.schema.experiment import ModelConfig

_MOST_SHOWN = 100
"""Characters of an id that a message repeats."""


def model_problems(model: ModelConfig) -> Iterator[Finding]:
    """Yield an error for a shape or local folder that does not exist or does not fit.

    The engine checks hub ids. ``models/foo`` may be a hub id or a folder; it counts as a folder
    if that folder exists.
    """
    if model.is_shape:
        yield from _unknown_shape(model.id.removeprefix("shape:"))
    elif is_folder(model.id) or _looks_like_path(model.id):
        yield from _bad_folder(model)
    elif not _may_be_hub_id(model.id):
        yield _no_model(model.id)
    other = model.tokenizer
    if other is None or (other and is_folder(other)):
        return
    if _looks_like_path(other):
        yield Finding("tokenizer-missing", f"there is no folder {other}", path="model.tokenizer")
    elif not _may_be_hub_id(other):
        yield replace(_no_model(other), path="model.tokenizer")


def is_folder(model_id: str) -> bool:
    """Whether ``model_id`` names an existing folder."""
    try:
        return Path(model_id).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):  # too long for a path; an unknown home; a NUL
        return False


def _looks_like_path(model_id: str) -> bool:
    return model_id in {".", "..", "~"} or model_id.startswith(("/", "./", "../", "~"))


# A name or `owner/name`, as huggingface_hub accepts it; `:` begins what some engines add to it.
_HUB_ID = re.compile(r"(?:[\w.-]{1,96}/)?[\w.-]{1,96}(?::[\w.-]+)?", re.ASCII)
_ADDRESS = re.compile(r"(?i)https?://[^/]+/+([^/\s]+/[^/\s?#]+)")


def _may_be_hub_id(model_id: str) -> bool:
    """Whether a hub may have a model of this id; addresses of other stores are the engine's."""
    if re.match(r"[a-z0-9]+://\S+\Z", model_id) and not _ADDRESS.match(model_id):
        return True
    if model_id.lower().startswith("shape:"):
        return False
    parts = re.split("[/:]", model_id)
    return bool(_HUB_ID.fullmatch(model_id)) and not any(
        "--" in part or ".." in part or part.strip("-.") != part for part in parts
    )


def _no_model(model_id: str) -> Finding:
    shown = json.dumps(model_id if len(model_id) <= _MOST_SHOWN else f"{model_id[:_MOST_SHOWN]}…")
    if address := _ADDRESS.match(model_id):
        hint = f"Name the model by its id alone: {address[1]}."
    elif model_id.lower().startswith("shape:"):
        hint = f"Did you mean {model_id.lower()}?"
    else:
        hint = "A hub id is a name or owner/name of letters, digits, '.', '_' and '-'."
    message = f"{shown} is no hub id, and there is no such folder"
    return Finding("model-missing", message, path="model.id", hint=hint)


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
            message=f"there is no shape {json.dumps(name[:_MOST_SHOWN])}",
            path="model.id",
            hint=f"Did you mean shape:{near[0]}?" if near else f"Known: {known}.",
        )
