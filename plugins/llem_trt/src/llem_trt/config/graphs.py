"""CUDA graphs and torch.compile."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from llem.api import BackendConfig, EngineArg, Param, Section
from llem_trt.versions import NEW, OLD, PYTORCH, Only

Sizes = tuple[Annotated[int, Field(ge=1)], ...]

_GRAPHS_ON = {"trt.cuda_graphs.enabled": (None, True)}
_COMPILE_ON = {"trt.torch_compile.enabled": True}


class CudaGraphs(
    Section, feeds="load.cuda_graph_config", builds="tensorrt_llm.llmapi.CudaGraphConfig"
):
    """CUDA graphs of decoding: ``CudaGraphConfig``."""

    enabled: Annotated[
        bool | None, Param(affects=EngineArg("load", "cuda_graph_config"), examples=(False,))
    ] = None
    """Whether decoding replays captured graphs; unset is true."""

    batch_sizes: Annotated[
        Sizes | None,
        Field(min_length=1),
        Param(unit="requests", requires=_GRAPHS_ON, examples=((1, 2, 4, 8),)),
    ] = None
    """Batch sizes to capture; unset takes a list up to `max_batch_size`."""

    max_batch_size: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="requests", requires=_GRAPHS_ON, neutral=(0,), examples=(64,)),
    ] = None
    """Largest batch size to capture; unset and 0 leave it to the engine, which takes 128."""

    enable_padding: Annotated[
        bool | None,
        Param(requires=_GRAPHS_ON, neutral=(False,), examples=(True,)),
    ] = None
    """Whether batches are rounded up to a captured size."""


class TorchCompile(
    Section, feeds="load.torch_compile_config", builds="tensorrt_llm.llmapi.TorchCompileConfig"
):
    """torch.compile: ``TorchCompileConfig``."""

    enabled: Annotated[
        bool | None,
        Param(
            affects=EngineArg("load", "torch_compile_config"), neutral=(False,), examples=(True,)
        ),
    ] = None
    """Whether the model is compiled; unset becomes true, because this section is given."""

    enable_fullgraph: Annotated[
        bool | None,
        Param(requires=_COMPILE_ON, neutral=(True,), examples=(False,)),
    ] = None
    """Whether the whole model must become one graph."""

    enable_inductor: Annotated[
        bool | None,
        Param(requires=_COMPILE_ON, neutral=(False,), examples=(True,)),
    ] = None
    """Whether Inductor generates the kernels."""

    enable_piecewise_cuda_graph: Annotated[
        bool | None,
        Param(requires=_COMPILE_ON, neutral=(False,), examples=(True,), example_context=OLD),
        Only("1.2"),
    ] = None
    """Whether prefill is captured in pieces; from 1.3 on `prefill_cuda_graph_backend` replaces
    it."""

    capture_num_tokens: Annotated[
        Sizes | None,
        Field(min_length=1),
        Param(
            unit="tokens",
            requires={**_COMPILE_ON, "trt.torch_compile.enable_piecewise_cuda_graph": True},
            examples=((256, 512),),
            example_context=OLD,
        ),
        Only("1.2"),
    ] = None
    """Token counts to capture in pieces; from 1.3 on `prefill_capture_num_tokens` replaces it."""

    enable_userbuffers: Annotated[
        bool | None,
        Param(requires=_COMPILE_ON, neutral=(True,), examples=(False,)),
    ] = None
    """Whether collectives use buffers that the network library has registered."""

    max_num_streams: Annotated[
        int | None,
        Field(ge=1, le=64),
        Param(unit="streams", requires=_COMPILE_ON, neutral=(1, 3), examples=(2,)),
    ] = None
    """Number of CUDA streams of the compiled model; unset is 1 in 1.2 and 3 in 1.3."""

    @model_validator(mode="after")
    def _compile(self) -> Self:
        if self.enabled is None:
            # Past the freeze, which is for the finished object.
            self.__dict__["enabled"] = True
        return self


class GraphFields(BackendConfig, feeds="load"):
    """What is captured or compiled before it runs."""

    cuda_graphs: Annotated[
        CudaGraphs | None,
        Param(requires=PYTORCH, examples=({"enable_padding": True},)),
    ] = None
    """CUDA graphs of decoding; on unless `enabled` is false."""

    torch_compile: Annotated[
        TorchCompile | None,
        Param(requires=PYTORCH, examples=({"enable_inductor": True},)),
    ] = None
    """torch.compile; off unless this section is given."""

    prefill_cuda_graph_backend: Annotated[
        Literal["disabled", "piecewise", "breakable"] | None,
        Param(
            requires=PYTORCH, neutral=("disabled",), examples=("piecewise",), example_context=NEW
        ),
        Only("1.3"),
    ] = None
    """How prefill is captured."""

    prefill_capture_num_tokens: Annotated[
        Sizes | None,
        Field(min_length=1),
        Param(
            unit="tokens",
            requires={**PYTORCH, "trt.prefill_cuda_graph_backend": ("piecewise", "breakable")},
            examples=((256, 512),),
            example_context=NEW,
        ),
        Only("1.3"),
    ] = None
    """Token counts to capture."""
