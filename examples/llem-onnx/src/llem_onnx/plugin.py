"""The hooks that make the backend. Light: every listing of llem imports this module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llem.api.capability import BackendInfo, Capability, Claim, EngineRequirement, Support
from llem.api.hookspecs import hookimpl

if TYPE_CHECKING:  # what a hook needs is imported when it is called
    from llem.api.capability import HostInfo
    from llem.api.parameter_audit import ParameterAudit
    from llem.api.session import Session
    from llem.errors import Finding
    from llem.schema.call_plan import CallPlan
    from llem.schema.experiment import BackendConfig, Experiment


@hookimpl
def llem_capabilities() -> BackendInfo:
    """Declare the backend: only what was tried is claimed."""
    return BackendInfo(
        name="onnx",
        summary="the Generator of ONNX Runtime GenAI, one request after the other",
        engine=EngineRequirement(
            "onnxruntime-genai", versions=">=0.18,<0.19", install="pip install onnxruntime-genai"
        ),
        devices=("cpu",),
        claims={
            Capability.QUANTISATION_4BIT: Claim(
                Support.YES, "as the model was built", settings={"onnx.build": "int4"}
            ),
            Capability.STREAMING_LATENCY: Claim(Support.YES),
        },
        decoder_parameters=frozenset(
            {"do_sample", "temperature", "top_k", "top_p", "repetition_penalty"}
        ),
        # The data type of an ONNX model was chosen when it was built.
        model_parameters=frozenset(),
        versions_of=("onnxruntime",),
    )


@hookimpl
def llem_config_model() -> type[BackendConfig]:
    """Return the backend's section of a config."""
    from llem_onnx.config import OnnxConfig

    return OnnxConfig


@hookimpl
def llem_build_kwargs(experiment: Experiment) -> CallPlan:
    """Return the engine's calls for an experiment."""
    from llem_onnx.kwargs import build_plan

    return build_plan(experiment)


@hookimpl
def llem_parameter_audit() -> ParameterAudit:
    """Account for every parameter of the engine."""
    from llem_onnx.audit import AUDIT

    return AUDIT


@hookimpl
def llem_preflight(experiment: Experiment, facts: HostInfo) -> Sequence[Finding]:
    """Refuse a model that was not built for ONNX Runtime GenAI."""
    from llem_onnx.review import review

    return tuple(review(experiment))


@hookimpl
def llem_measurement() -> type[Session]:
    """Return the class that carries out a plan; called in the worker alone."""
    from llem_onnx.runtime import OnnxSession

    return OnnxSession
