"""The parameters of vLLM 0.32, read from its signatures, for machines without it."""

from __future__ import annotations

import json
from importlib.resources import files

from llem.api.parameter_audit import Found, FoundParameter


def read() -> Found:
    """Return the parameters of every surface of vLLM 0.32.0."""
    text = files(__name__).joinpath("vllm-0.32.0.json").read_text(encoding="utf-8")
    return {
        surface: [FoundParameter(*parameter) for parameter in parameters]
        for surface, parameters in json.loads(text).items()
    }
