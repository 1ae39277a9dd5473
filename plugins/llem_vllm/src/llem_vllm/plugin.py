"""Hooks of the vLLM backend; each imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llem.api import BackendInfo, hookimpl
from llem.errors import hint_for

if TYPE_CHECKING:
    from llem.api import BackendConfig, CallPlan, Experiment, Finding, Session
    from llem.api.capability import HostInfo
    from llem.api.parameter_audit import ParameterAudit


@hookimpl
def llem_capabilities() -> BackendInfo:
    """Declare the backend."""
    from llem_vllm.capabilities import INFO

    return INFO


@hookimpl
def llem_config_model() -> type[BackendConfig]:
    """Return the backend's config section."""
    from llem_vllm.section import VLLMConfig

    return VLLMConfig


@hookimpl
def llem_build_kwargs(experiment: Experiment) -> CallPlan:
    """Return the vLLM calls for ``experiment``."""
    from llem_vllm.plan import plan_of

    return plan_of(experiment)


@hookimpl
def llem_parameter_audit() -> ParameterAudit:
    """Account for every parameter of vLLM."""
    from llem_vllm.audit import AUDIT

    return AUDIT


@hookimpl
def llem_measurement() -> type[Session]:
    """Return the session class; this imports vLLM."""
    from llem_vllm.runtime.session import VLLMSession

    return VLLMSession


@hookimpl
def llem_preflight(experiment: Experiment, facts: HostInfo) -> Sequence[Finding]:
    """Check ``experiment`` against this machine and the model's files."""
    from llem_vllm.review import review

    return tuple(review(experiment, facts))


@hookimpl
def llem_explain_error(error_type: str, message: str) -> str | None:
    """Return a hint for an error of vLLM."""
    from llem_vllm.errors import HINTS

    return hint_for(HINTS, error_type, message)
