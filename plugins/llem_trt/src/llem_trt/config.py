"""Config section of the TensorRT-LLM backend."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llem.api.config import BackendConfig, Engine, Param, Rule
from llem_trt.rules import RULES


class TrtConfig(BackendConfig):
    """How TensorRT-LLM loads the model and schedules requests."""

    max_batch_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="requests", maps_to=(Engine("load", "max_batch_size"),), examples=(8, 64)),
    ] = None
    """Requests in one iteration at most."""

    max_num_tokens: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", maps_to=(Engine("load", "max_num_tokens"),), examples=(8192,)),
    ] = None
    """Tokens in one iteration at most."""

    max_seq_len: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", maps_to=(Engine("load", "max_seq_len"),), examples=(4096,)),
    ] = None
    """Longest prompt plus output; unset takes the model's own limit."""

    tensor_parallel_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="devices", maps_to=(Engine("load", "tensor_parallel_size"),), examples=(2,)),
    ] = None
    """Devices that each layer is split over."""

    pipeline_parallel_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="devices", maps_to=(Engine("load", "pipeline_parallel_size"),), examples=(2,)),
    ] = None
    """Stages that the layers are distributed over."""

    attn_backend: Annotated[
        Literal["TRTLLM", "FLASHINFER", "VANILLA"] | None,
        Param(maps_to=(Engine("load", "attn_backend"),), examples=("FLASHINFER",)),
    ] = None
    """Attention kernels."""

    enable_chunked_prefill: Annotated[
        bool | None, Param(maps_to=(Engine("load", "enable_chunked_prefill"),), examples=(True,))
    ] = None
    """Whether long prompts are spread over several iterations."""

    disable_overlap_scheduler: Annotated[
        bool | None,
        Param(maps_to=(Engine("load", "disable_overlap_scheduler"),), examples=(True,)),
    ] = None
    """Whether the host waits for each iteration before it prepares the next."""

    kv_cache_dtype: Annotated[
        Literal["auto", "fp8"] | None,
        Param(maps_to=(Engine("load", "kv_cache_config.dtype"),), examples=("fp8",)),
    ] = None
    """Data type of the KV cache; unset takes the model's."""

    kv_cache_free_gpu_memory_fraction: Annotated[
        float | None,
        Field(gt=0, le=1),
        Param(
            unit="ratio",
            maps_to=(Engine("load", "kv_cache_config.free_gpu_memory_fraction"),),
            examples=(0.5,),
        ),
    ] = None
    """Share of the memory left after loading that the KV cache takes."""

    kv_cache_enable_block_reuse: Annotated[
        bool | None,
        Param(maps_to=(Engine("load", "kv_cache_config.enable_block_reuse"),), examples=(False,)),
    ] = None
    """Whether requests share the KV cache of a common beginning."""

    rules: ClassVar[tuple[Rule, ...]] = RULES
