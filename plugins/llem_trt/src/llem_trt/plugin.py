"""Hooks of the TensorRT-LLM backend; what they need is imported when they are called.

There is no ``llem_measurement``: the backend describes, validates and plans, and cannot run yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llem.api.capability import BackendInfo
from llem.api.hookspecs import hookimpl

if TYPE_CHECKING:
    from llem.api.config import BackendConfig, Experiment
    from llem.api.plan import CallPlan


@hookimpl
def llem_capabilities() -> BackendInfo:
    """Declare the backend."""
    from llem_trt.capabilities import INFO

    return INFO


@hookimpl
def llem_config_model() -> type[BackendConfig]:
    """Return the backend's config section."""
    from llem_trt.config.trt import TrtConfig

    return TrtConfig


@hookimpl
def llem_build_kwargs(experiment: Experiment) -> CallPlan:
    """Return the TensorRT-LLM calls for ``experiment``."""
    from llem_trt.kwargs import build_plan

    return build_plan(experiment)
