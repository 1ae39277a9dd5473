"""How the model comes in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, Param
from llem_vllm.config.choices import LoadFormat


class LoadingFields(BackendConfig, feeds="load"):
    """Fields of loading."""

    load_format: Annotated[LoadFormat | None, Param(examples=("safetensors",))] = None
    """Reader of the weights; unset detects it, and is `dummy` for random weights, which
    `model.weights` requests."""

    safetensors_load_strategy: Annotated[
        Literal["lazy", "eager", "prefetch", "torchao"] | None, Param(examples=("eager",))
    ] = None
    """How safetensors files are read."""

    model_impl: Annotated[
        Literal["auto", "vllm", "transformers", "terratorch"] | None,
        Param(examples=("transformers",)),
    ] = None
    """Implementation of the model."""

    generation_config: Annotated[str | None, Field(min_length=1), Param(examples=("vllm",))] = None
    """Source of EOS ids and other generation settings: `auto` for the model's file, `vllm` for
    none, or a folder."""

    tokenizer_mode: Annotated[
        Literal[
            "auto", "hf", "mistral", "deepseek_v32", "deepseek_v4", "inkling", "kimi_k3", "cohere"
        ]
        | None,
        Param(examples=("hf",)),
    ] = None
    """Kind of tokenizer."""

    language_model_only: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether the vision and audio parts of a multimodal model are left out."""

    max_parallel_loading_workers: Annotated[
        int | None, Field(ge=1), Param(unit="workers", examples=(1,))
    ] = None
    """Number of workers that read weights at a time."""

    enable_cumem_allocator: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether vLLM's CUDA allocator is used."""
