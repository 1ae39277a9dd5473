"""The embedded default: what ``llem run`` measures when it is given no file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TOO_LONG_FOR = {"max_duration_s": "min_duration_s"}
"""Bounds of the default that would contradict the other bound once that is set by hand."""


def default_experiment(backend: str) -> dict[str, Any]:
    """Return the embedded default for ``backend``: real, and small enough for any machine.

    On two CPU cores it ends within a minute, the engine's import included: 4 s of idle power,
    at most 10 s of warm-up and 20 s of windows.
    """
    return {
        "backend": backend,
        "model": {"id": "shape:tiny"},
        "workload": {
            "source": "synthetic",
            "requests": 8,
            "input_tokens": 32,
            "output_tokens": 32,
        },
        "measurement": {
            "min_duration_s": 8,
            "max_duration_s": 20,
            "target_ci_ratio": 0.05,
            "warmup": {"max_duration_s": 10, "stable_within_ratio": 0.1},
            "baseline": {"bare_s": 2, "loaded_s": 2},
        },
    }


def over_default(default: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``chosen`` with what it leaves open taken from ``default``, section by section.

    A default gives way where it no longer fits: another source of prompts has other keys, and a
    least duration set by hand may exceed the default's greatest one.
    """
    merged = dict(chosen)
    for key, value in default.items():
        if key not in chosen:
            if _TOO_LONG_FOR.get(key) not in chosen:
                merged[key] = value
        elif isinstance(value, dict) and _goes_with(value, chosen[key]):
            merged[key] = over_default(value, chosen[key])
    return merged


def _goes_with(default: Mapping[str, Any], chosen: Any) -> bool:
    source = default.get("source")
    return isinstance(chosen, dict) and chosen.get("source", source) == source
