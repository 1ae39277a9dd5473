"""What ONNX Runtime GenAI takes besides what all backends share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.schema.base import EngineArg, Param
from llem.schema.experiment import BackendConfig

Optimisation = Literal[
    "ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"
]


def _session(name: str) -> tuple[EngineArg, ...]:
    return (EngineArg("load", f"session_options.{name}"),)


class OnnxConfig(BackendConfig):
    """Sessions of ONNX Runtime, and how GenAI generates."""

    build: Annotated[
        str | None,
        Field(min_length=1),
        Param(maps_to=(EngineArg("load", "build"),), examples=("int4", "fp32")),
    ] = None
    """Subfolder of the model's folder that holds the ONNX model; the folder itself if unset."""

    intra_op_num_threads: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(unit="threads", maps_to=_session("intra_op_num_threads"), examples=(1, 2)),
    ] = None
    """Threads that work on one operator."""

    graph_optimization_level: Annotated[
        Optimisation | None, Param(maps_to=_session("graph_optimization_level"))
    ] = None
    """How far ONNX Runtime rewrites the graph on loading."""

    enable_cpu_mem_arena: Annotated[
        bool | None, Param(maps_to=_session("enable_cpu_mem_arena"))
    ] = None
    """Whether memory is taken from an arena that grows and is kept."""

    chunk_size: Annotated[
        int | None,
        Field(ge=1, le=65_536),
        Param(unit="tokens", maps_to=(EngineArg("generate", "chunk_size"),), examples=(16, 128)),
    ] = None
    """Prompt tokens that are read at once."""

    no_repeat_ngram_size: Annotated[
        int | None,
        Field(ge=1, le=64),
        Param(
            unit="tokens", maps_to=(EngineArg("generate", "no_repeat_ngram_size"),), examples=(3,)
        ),
    ] = None
    """Length of the sequences that may not come twice."""
