"""Config section of the TensorRT-LLM backend; fields bear the names of the engine's arguments."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from llem.schema.base import EngineArg, Param
from llem.schema.experiment import Rule
from llem_trt.config.experts import Experts
from llem_trt.config.graphs import GraphFields
from llem_trt.config.kernels import KernelFields
from llem_trt.config.kv_cache import KvCache
from llem_trt.config.markers import OLD, PYTORCH, TENSORRT, llm, session
from llem_trt.config.parallelism import ParallelFields
from llem_trt.config.quantization import QuantizationFields
from llem_trt.config.sampling import Sampling
from llem_trt.config.scheduling import SchedulingFields
from llem_trt.config.sparse_attention import SparseAttention
from llem_trt.config.speculation import Speculation
from llem_trt.rules import RULES, surface_rules
from llem_trt.versions import Only, SurfaceName


class TrtFields(SchedulingFields, GraphFields, KernelFields, ParallelFields, QuantizationFields):
    """Every field of the section."""

    surface: Annotated[SurfaceName | None, session("surface", examples=("1.2", "1.3"))] = None
    """Version of TensorRT-LLM whose parameters the plan uses; unset takes the installed one's, or
    the newest where none is installed. Name it where `runner.python` has another version."""

    execution: Annotated[
        Literal["pytorch", "tensorrt"] | None,
        Param(
            maps_to=(EngineArg("settings", "execution"), EngineArg("load", "backend")),
            examples=("pytorch", "tensorrt"),
            example_context=OLD,
        ),
        Only("1.2", values=("tensorrt",)),
    ] = None
    """What runs the model: PyTorch with TensorRT-LLM's kernels, or, legacy and removed after 1.2,
    a TensorRT engine; unset is pytorch."""

    engine_path: Annotated[
        str | None,
        Field(min_length=1),
        llm("model", "tokenizer", requires=TENSORRT, examples=("engine",), example_context=OLD),
        Only("1.2"),
    ] = None
    """Legacy: folder of a built TensorRT engine, loaded instead of the checkpoint that `model.id`
    names; that one still provides tokenizer and configuration."""

    kv_cache: Annotated[
        KvCache | None, llm("kv_cache_config", examples=({"free_gpu_memory_fraction": 0.5},))
    ] = None
    """Size, type and reuse of the KV cache."""

    experts: Annotated[
        Experts | None, llm("moe_config", requires=PYTORCH, examples=({"backend": "CUTLASS"},))
    ] = None
    """Kernels and placement of the experts of a mixture."""

    sparse_attention: Annotated[
        SparseAttention | None,
        llm("sparse_attention_config", requires=PYTORCH, examples=({"algorithm": "rocket"},)),
    ] = None
    """Attention that leaves tokens out."""

    speculation: Annotated[
        Speculation | None, llm("speculative_config", examples=({"method": "auto"},))
    ] = None
    """Speculative decoding."""

    sampling: Sampling | None = None
    """Sampling settings beyond the shared decoder's."""


class TrtConfig(TrtFields):
    """How TensorRT-LLM loads the model, schedules requests and generates."""

    rules: ClassVar[tuple[Rule[Any], ...]] = (*RULES, *surface_rules(TrtFields))
