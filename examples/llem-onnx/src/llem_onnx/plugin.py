"""What is declared: the backend, its section of a config, and the engine's calls as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from llem.api import (
    BackendConfig,
    BackendInfo,
    Call,
    CallPlan,
    EngineRequirement,
    Experiment,
    Finding,
    Param,
    Session,
    build_plan,
    hookimpl,
)
from llem.api.capability import Capability, Claim, HostInfo, Support
from llem.api.parameter_audit import ParameterAudit
from llem_onnx.audit import AUDIT, DECODING, SHARED

Optimization = Literal[
    "ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"
]
MODEL_FILE = "genai_config.json"
"""What the model builder writes beside a model."""


class SessionOptions(BackendConfig, feeds="load.session_options"):
    """Options of ONNX Runtime, by their names in `genai_config.json`."""

    intra_op_num_threads: Annotated[
        int | None, Field(ge=1, le=1024), Param(unit="threads", examples=(1, 2))
    ] = None
    """Threads that work on one operator."""

    graph_optimization_level: Optimization | None = None
    """How far ONNX Runtime rewrites the graph on loading."""

    enable_cpu_mem_arena: bool | None = None
    """Whether memory is taken from an arena that grows and is kept."""


class SearchOptions(BackendConfig, feeds="generate"):
    """Search options of GenAI that not every backend has."""

    chunk_size: Annotated[
        int | None, Field(ge=1, le=65_536), Param(unit="tokens", examples=(16, 128))
    ] = None
    """Prompt tokens that are read at once."""

    no_repeat_ngram_size: Annotated[
        int | None, Field(ge=0, le=64), Param(unit="tokens", neutral=(0,), examples=(3, 0))
    ] = None
    """Length of the sequences that may not come twice; 0 allows all."""


class OnnxConfig(SearchOptions, SessionOptions, feeds="load"):
    """Sessions of ONNX Runtime, and how GenAI generates."""

    build: Annotated[str | None, Field(min_length=1), Param(examples=("int4", "fp32"))] = None
    """Subfolder of the model's folder that holds the ONNX model; the folder itself if unset."""


@hookimpl
def llem_capabilities() -> BackendInfo:
    """Declare the backend: only what was tried is claimed."""
    return BackendInfo(
        name="onnx",
        summary="the Generator of ONNX Runtime GenAI, one request after the other",
        engine=EngineRequirement(
            "onnxruntime-genai", versions=">=0.18,<0.19", install="pip install onnxruntime-genai"
        ),
        claims={
            Capability.QUANTIZATION_4BIT: Claim(
                Support.YES, "as the model was built", settings={"onnx.build": "int4"}
            ),
            Capability.STREAMING_LATENCY: Claim(Support.YES),
        },
        decoder_parameters=frozenset(DECODING),
        versions_of=("onnxruntime",),
    )


@hookimpl
def llem_config_model() -> type[BackendConfig]:
    """Return the backend's section of a config."""
    return OnnxConfig


@hookimpl
def llem_build_kwargs(experiment: Experiment) -> CallPlan:
    """Return the engine's calls for an experiment."""
    decoder = experiment.decoder
    # What is not given would be that of the model's own genai_config.json.
    decoding: dict[str, Any] = {"num_beams": 1, "num_return_sequences": 1}
    decoding["do_sample"] = decoder.samples
    decoding["repetition_penalty"] = decoder.repetition_penalty or 1.0
    if decoder.samples:
        decoding |= {**decoder.sampling(DECODING), "random_seed": decoder.seed}
    # GenAI cannot go on after EOS. Where EOS is ignored, the least length is the greatest: EOS is
    # never chosen, and each request gets its full length.
    lengths = ("max_length", "min_length") if experiment.ignores_eos else ("max_length",)
    runtime = ("model", *lengths)
    load = Call("load", "llem_onnx.runtime.load", {"folder": experiment.model.id}, assign="model")
    target = "llem_onnx.runtime.generator"
    generate = Call("generate", target, decoding, runtime=runtime, assign="generator")
    return build_plan(experiment, (load, generate), shared=SHARED)


@hookimpl
def llem_preflight(experiment: Experiment, facts: HostInfo) -> Sequence[Finding]:
    """Refuse a model that was not built for ONNX Runtime GenAI."""
    build = getattr(experiment.section, "build", None) or ""
    if Path(experiment.model.id, build, MODEL_FILE).is_file():
        return ()
    return (
        Finding(
            code="onnx-model-missing",
            message=f"{experiment.model.id} has no {MODEL_FILE} in {build or 'it'}",
            path="model.id",
            hint="Build it from a local model folder: python -m onnxruntime_genai.models.builder "
            "-i FOLDER -o FOLDER/int4 -p int4 -e cpu; then name FOLDER, and onnx.build: int4.",
        ),
    )


@hookimpl
def llem_parameter_audit() -> ParameterAudit:
    """Account for every parameter of the engine."""
    return AUDIT


@hookimpl
def llem_measurement() -> type[Session]:
    """Return the class that carries out a plan; called in the worker alone."""
    from llem_onnx.runtime import OnnxSession

    return OnnxSession
