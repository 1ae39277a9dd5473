"""The experiments on which a plugin is tried."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

BASE: Mapping[str, Any] = {
    "model.id": "org/model",
    "workload": {"source": "prompts", "prompts": ["A text."], "output_tokens": 64},
}
"""For plans: synthetic prompts and random weights would need fewer calls."""

SMALLEST: Mapping[str, Any] = {
    "workload.requests": 3,
    "workload.input_tokens": {"distribution": "uniform", "low": 4, "high": 12},
    "workload.output_tokens": {"distribution": "uniform", "low": 2, "high": 8},
}
"""For sessions: requests of different lengths, over the embedded default on the smallest shape."""

_SESSION_ONLY = ("workload", "measurement", "runner")


def document(backend: str, settings: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return an experiment as JSON: :data:`BASE`, and over it ``settings`` and ``values``.

    Args:
        backend: The backend's name.
        settings: What sessions of the plugin need, by dotted path; only what is about the model.
        values: Further values by dotted path.
    """
    own = {path: value for path, value in settings.items() if not path.startswith(_SESSION_ONLY)}
    found: dict[str, Any] = {"backend": backend}
    chosen = {**BASE, **own, **values}
    for path, value in sorted(chosen.items(), key=lambda item: item[0].count(".")):
        *sections, name = path.split(".")
        section = found
        for key in sections:
            section = section.setdefault(key, {})
        section[name] = dict(value) if isinstance(value, dict) else value
    return json.dumps(to_jsonable_python(found))


def overrides(settings: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Return what makes a session's experiment of the embedded default, as ``a.b=c`` each.

    Args:
        settings: What sessions of the plugin need, by dotted path; a workload among them is taken
            instead of the smallest.
        values: Further values by dotted path.
    """
    work = {} if any(path.startswith("workload") for path in settings) else SMALLEST
    chosen = {**work, **settings, **values}
    return [f"{path}={json.dumps(to_jsonable_python(chosen[path]))}" for path in chosen]
