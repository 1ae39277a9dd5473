"""The parameters of vLLM 0.32 as its signatures state them, for where it is not installed."""

from __future__ import annotations

import json
from importlib.resources import files

from llem.api.parameter_audit import Found, FoundParameter


def read() -> Found:
    """Return the parameters of every surface, as they were read from vLLM 0.32.0."""
    text = files(__name__).joinpath("vllm-0.32.0.json").read_text(encoding="utf-8")
    return {
        surface: [FoundParameter(*parameter) for parameter in parameters]
        for surface, parameters in json.loads(text).items()
    }
