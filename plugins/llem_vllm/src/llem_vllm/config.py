"""Config section of the vLLM backend."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llem.api.config import BackendConfig, Engine, Param, Rule
from llem_vllm.rules import RULES

KvCacheDtype = Literal[
    "auto", "float16", "bfloat16", "fp8", "fp8_e4m3", "fp8_e5m2", "int8_per_token_head", "nvfp4"
]


class VllmConfig(BackendConfig):
    """How vLLM loads the model and schedules requests."""

    max_model_len: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", maps_to=(Engine("load", "max_model_len"),), examples=(4096,)),
    ] = None
    """Longest prompt plus output; unset takes the model's own limit."""

    max_num_seqs: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="requests", maps_to=(Engine("load", "max_num_seqs"),), examples=(64, 256)),
    ] = None
    """Requests in one step at most; unset depends on the device."""

    max_num_batched_tokens: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", maps_to=(Engine("load", "max_num_batched_tokens"),), examples=(8192,)),
    ] = None
    """Tokens in one step at most; unset depends on the device."""

    gpu_memory_utilization: Annotated[
        float | None,
        Field(gt=0, le=1),
        Param(
            unit="ratio",
            maps_to=(Engine("load", "gpu_memory_utilization"),),
            examples=(0.5, 0.9),
        ),
    ] = None
    """Share of device memory for weights, activations and KV cache."""

    kv_cache_dtype: Annotated[
        KvCacheDtype | None, Param(maps_to=(Engine("load", "kv_cache_dtype"),), examples=("fp8",))
    ] = None
    """Data type of the KV cache; unset takes the model's."""

    block_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", maps_to=(Engine("load", "block_size"),), examples=(16, 32)),
    ] = None
    """Tokens per block of the KV cache; unset depends on the attention kernel."""

    enable_prefix_caching: Annotated[
        bool | None,
        Param(maps_to=(Engine("load", "enable_prefix_caching"),), examples=(False,)),
    ] = None
    """Whether requests share the KV cache of a common beginning."""

    enable_chunked_prefill: Annotated[
        bool | None,
        Param(maps_to=(Engine("load", "enable_chunked_prefill"),), examples=(False,)),
    ] = None
    """Whether long prompts are spread over several steps."""

    enforce_eager: Annotated[
        bool | None, Param(maps_to=(Engine("load", "enforce_eager"),), examples=(True,))
    ] = None
    """Whether compilation and CUDA graphs are left out."""

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

    rules: ClassVar[tuple[Rule, ...]] = RULES
