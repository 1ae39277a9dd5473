"""Defaults: the backend and the experiment that ``llem run`` takes when none is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from llem.errors import BackendUnavailable, Finding, PluginBroken
from llem.schema.experiment import BackendConfig, Experiment

if TYPE_CHECKING:
    from llem.registry import Backend


def experiment_model(backend: Backend) -> type[Experiment]:
    """Return the model that validates an experiment on ``backend``.

    Raises:
        PluginBroken: The backend's name or config section does not fit into an experiment.
    """
    return _narrow(backend.name, backend.config_model(), backend.info.summary)


@cache
def _narrow(name: str, section: type[BackendConfig], summary: str) -> type[Experiment]:
    if name.startswith("_") or name in Experiment.model_fields or hasattr(Experiment, name):
        raise PluginBroken(f"backend {name!r} has a name that an experiment needs for itself")
    missing = [key for key, field in section.model_fields.items() if field.is_required()]
    if missing:
        raise PluginBroken(f"the section of backend {name!r} requires {', '.join(missing)}")
    fields: dict[str, Any] = {name: (section, Field(default=section(), description=summary))}
    return create_model(f"Experiment_{name}", __base__=Experiment, **fields)


def choose_backend(installed: Sequence[Backend]) -> tuple[Backend, tuple[Finding, ...]]:
    """Return the first usable backend by name, and a warning if several are usable.

    A backend without an engine measures nothing real, so only its name selects it.

    Raises:
        BackendUnavailable: No usable backend is installed.
    """
    usable = sorted(filter(_is_usable, installed), key=lambda backend: backend.name)
    if not usable:
        raise BackendUnavailable(
            "no backend with a usable engine is installed", hint=_ways_out(installed)
        )
    if len(usable) == 1:
        return usable[0], ()
    names = ", ".join(backend.name for backend in usable)
    warning = Finding(
        code="backend-chosen",
        message=f"{usable[0].name} was chosen among the usable backends {names}",
        severity="warning",
        path="backend",
        hint="Name the backend with --backend or in the file.",
    )
    return usable[0], (warning,)


def _is_usable(backend: Backend) -> bool:
    status = backend.engine_status()
    # A plugin that declares a backend may not be able to run it yet.
    return status is not None and status.supported and backend.offers("llem_measurement")


def _ways_out(installed: Sequence[Backend]) -> str:
    ways = []
    for backend in installed:
        engine, status = backend.info.engine, backend.engine_status()
        if engine is None:
            ways.append(f"To try llem without an engine: --backend {backend.name}.")
        elif status is not None and not status.supported and engine.install:
            ways.append(f"For {backend.name}: {engine.install} ({status.message}).")
    return " ".join(ways) or "Install a plugin that brings a backend."


_TOO_LONG_FOR = {"max_duration_s": "min_duration_s"}
"""Upper bounds of the default that may contradict a lower bound set by the user."""


def default_experiment(backend: str) -> dict[str, Any]:
    """Return the embedded default for ``backend``: a real measurement that fits any machine.

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


def merge_defaults(default: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``chosen`` with missing keys taken from ``default``, section by section.

    Defaults that no longer fit are left out: another source of prompts has other keys, and a
    minimum duration set by the user may exceed the default maximum.
    """
    merged = dict(chosen)
    for key, value in default.items():
        if key not in chosen:
            if _TOO_LONG_FOR.get(key) not in chosen:
                merged[key] = value
        elif isinstance(value, dict) and _same_source(value, chosen[key]):
            merged[key] = merge_defaults(value, chosen[key])
    return merged


def _same_source(default: Mapping[str, Any], chosen: Any) -> bool:
    source = default.get("source")
    return isinstance(chosen, dict) and chosen.get("source", source) == source
