"""The experiment model of one backend: the shared sections and the backend's own."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import Field, create_model

from llem.api.config import BackendConfig, Experiment
from llem.registry import Backend


def experiment_model(backend: Backend) -> type[Experiment]:
    """Return the model that validates an experiment on ``backend``."""
    return _narrow(backend.name, backend.config_model(), backend.info.summary)


@cache
def _narrow(name: str, section: type[BackendConfig], summary: str) -> type[Experiment]:
    fields: dict[str, Any] = {name: (section, Field(default=section(), description=summary))}
    return create_model(f"Experiment_{name}", __base__=Experiment, **fields)


def default_experiment(backend: str) -> dict[str, Any]:
    """Return the embedded default: small enough for any machine, real all the same."""
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
