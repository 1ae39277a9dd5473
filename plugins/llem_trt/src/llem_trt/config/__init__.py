"""The fields of the backend's config section, one file per topic; they carry the engine's names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import EngineArg, Param
from llem_trt.config.graphs import GraphFields
from llem_trt.config.kernels import Experts, KernelFields
from llem_trt.config.kv_cache import KvCache
from llem_trt.config.parallelism import ParallelFields
from llem_trt.config.quantization import QuantizationFields
from llem_trt.config.sampling import Sampling
from llem_trt.config.scheduling import SchedulingFields
from llem_trt.config.sparse_attention import SparseAttention
from llem_trt.config.speculation import Speculation
from llem_trt.versions import OLD, PYTORCH, TENSORRT, Only, SurfaceName, surface_for


class TrtFields(SchedulingFields, GraphFields, KernelFields, ParallelFields, QuantizationFields):
    """Every field of the section; rules are about these."""

    surface: Annotated[
        SurfaceName | None, Param(maps_to=EngineArg("settings", "surface"), examples=("1.2", "1.3"))
    ] = None
    """Version of TensorRT-LLM whose parameters the plan uses; unset takes the installed version, or
    the newest if none is installed. Set it if `runner.python` has another version."""

    execution: Annotated[
        Literal["pytorch", "tensorrt"] | None,
        Param(
            affects=(EngineArg("settings", "execution"), EngineArg("load", "backend")),
            examples=("pytorch", "tensorrt"),
            example_context=OLD,
        ),
        Only("1.2", values=("tensorrt",)),
    ] = None
    """Execution backend: PyTorch with TensorRT-LLM's kernels, or a TensorRT engine, which is legacy
    and removed after 1.2; unset is pytorch."""

    engine_path: Annotated[
        str | None,
        Field(min_length=1),
        Param(
            affects=(EngineArg("load", "model"), EngineArg("load", "tokenizer")),
            requires=TENSORRT,
            examples=("engine",),
            example_context=OLD,
        ),
        Only("1.2"),
    ] = None
    """Legacy: folder of a built TensorRT engine to load instead of the checkpoint of `model.id`,
    which still provides tokenizer and configuration."""

    kv_cache: Annotated[KvCache | None, Param(examples=({"free_gpu_memory_fraction": 0.5},))] = None
    """Size, type and reuse of the KV cache."""

    experts: Annotated[
        Experts | None, Param(requires=PYTORCH, examples=({"backend": "CUTLASS"},))
    ] = None
    """Kernels and placement of the experts of a mixture."""

    sparse_attention: Annotated[
        SparseAttention | None,
        Param(requires=PYTORCH, examples=({"algorithm": "rocket"},)),
    ] = None
    """Attention that leaves tokens out."""

    speculation: Annotated[Speculation | None, Param(examples=({"method": "auto"},))] = None
    """Speculative decoding."""

    sampling: Sampling | None = None
    """Sampling settings beyond the shared decoder's."""

    @property
    def planned_surface(self) -> SurfaceName:
        """The surface that a plan is made for."""
        return surface_for(self.surface)

    @property
    def speculates(self) -> bool:
        """Whether the settings name a method of speculation."""
        return self.speculation is not None and self.speculation.method is not None

    @property
    def beam_width(self) -> int | None:
        """Beams of beam search; ``None`` without beam search."""
        return None if self.sampling is None else self.sampling.beam_width

    @property
    def is_legacy(self) -> bool:
        """Whether the legacy TensorRT execution runs the model."""
        return self.execution == "tensorrt"
