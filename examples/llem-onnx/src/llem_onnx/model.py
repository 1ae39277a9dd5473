"""The calls of a plan: what onnxruntime-genai leaves to its caller, in two functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime_genai as genai


def load(
    folder: str, build: str = "", session_options: Mapping[str, Any] | None = None
) -> genai.Model:
    """Return the model that the model builder wrote to ``folder/build``.

    Args:
        folder: The model's folder.
        build: Subfolder of it that holds the ONNX model.
        session_options: Of ONNX Runtime, by their names in ``genai_config.json``.
    """
    # Nothing may call home from inside a window.
    genai.disable_telemetry_events()
    config = genai.Config(str(Path(folder, build)))
    options = {"session_options": dict(session_options or {})}
    config.overlay(json.dumps({"model": {"decoder": options}}))
    return genai.Model(config)


def generator(model: genai.Model, **search_options: Any) -> genai.Generator:
    """Return what generates for one request; ``max_length`` counts its prompt as well."""
    return genai.Generator(model, params(model, **search_options))


def params(model: genai.Model, **search_options: Any) -> genai.GeneratorParams:
    """Return GenAI's search options: the model's own, and over them those given."""
    made = genai.GeneratorParams(model)
    made.set_search_options(**search_options)
    return made
