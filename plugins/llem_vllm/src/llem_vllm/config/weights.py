"""Weights: loading, quantization, and offloading to host memory."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from llem.api import IS_SET, BackendConfig, Param, Section
from llem_vllm.config.choices import LoadFormat, Quantization, QuantKey


class LoadingFields(BackendConfig, feeds="load"):
    """Fields of loading."""

    load_format: Annotated[
        LoadFormat | None,
        AfterValidator(lambda reader: None if reader == "auto" else reader),
        Param(
            packages={
                "fastsafetensors": ("fastsafetensors",),
                "runai_streamer*": ("runai-model-streamer",),
                "tensorizer": ("tensorizer",),
            },
            examples=("safetensors",),
        ),
    ] = None
    """Reader of the weights; unset and `auto` detect it, and random weights, which `model.weights`
    requests, have the reader `dummy`."""

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

    enable_cumem_allocator: Annotated[bool | None, Param(gpus={True: 1}, examples=(True,))] = None
    """Whether vLLM's CUDA allocator is used."""


class LinearQuantization(Section, builds="vllm.config.quantization.QuantSpec"):
    """Formats of linear layers under online quantization."""

    weight: Annotated[QuantKey | None, Param(examples=("fp8_per_channel_static",))] = None
    """Format of weights."""

    activation: Annotated[QuantKey | None, Param(examples=("fp8_per_token",))] = None
    """Format of activations."""


class ExpertQuantization(Section, builds="vllm.config.quantization.QuantSpec"):
    """Formats of experts under online quantization."""

    weight: Annotated[QuantKey | None, Param(examples=("mxfp4",))] = None
    """Format of weights."""

    activation: Annotated[QuantKey | None, Param(examples=("mxfp8",))] = None
    """Format of activations."""


class OnlineQuantization(Section, builds="vllm.config.quantization.QuantizationConfigArgs"):
    """Quantization while loading, by kind of layer (`QuantizationConfigArgs` of vLLM)."""

    linear: LinearQuantization | None = None
    """Linear layers."""

    moe: ExpertQuantization | None = None
    """Experts of MoE models."""

    ignore: Annotated[tuple[str, ...] | None, Param(examples=(("lm_head",),))] = None
    """Layers that keep their type."""

    targets: Annotated[
        dict[str, str] | None,
        Param(
            neutral=({},),
            conflicts_with=("vllm.quantization_config.linear", "vllm.quantization_config.moe"),
            examples=({"re:.*mlp.*": "fp8_per_tensor"},),
        ),
    ] = None
    """Method by layer name or pattern; other layers keep their type."""


class PrecisionFields(BackendConfig, feeds="load"):
    """Fields of quantization."""

    quantization: Annotated[Quantization | None, Param(examples=("fp8",))] = None
    """Method of weight quantization; unset follows the checkpoint. Several methods need a
    checkpoint that is prepared for them."""

    quantization_config: OnlineQuantization | None = None
    """Quantization while loading, by kind of layer."""

    allow_deprecated_quantization: Annotated[
        bool | None,
        Param(
            requires={"vllm.quantization": ("fbgemm_fp8", "fp_quant")},
            neutral=(False,),
            examples=(True,),
        ),
    ] = None
    """Whether a method that vLLM is about to remove may be used."""


class OffloadingFields(BackendConfig, feeds="load"):
    """Fields of weight offloading."""

    offload_backend: Annotated[
        Literal["auto", "uva", "prefetch"] | None, Param(examples=("uva",))
    ] = None
    """How devices reach weights in host memory: read them there (`uva`), or fetch them ahead
    (`prefetch`)."""

    cpu_offload_gb: Annotated[
        float | None, Field(ge=0), Param(unit="GiB", neutral=(0,), examples=(4.0,))
    ] = None
    """Weights per device that stay in host memory and are read there."""

    cpu_offload_params: Annotated[
        tuple[str, ...] | None,
        Param(requires={"vllm.cpu_offload_gb": IS_SET}, neutral=((),), examples=(("mlp",),)),
    ] = None
    """Segments of names of the parameters that `cpu_offload_gb` may keep in host memory; unset is
    all."""

    offload_group_size: Annotated[
        int | None, Field(ge=0), Param(unit="layers", neutral=(0,), examples=(8,))
    ] = None
    """Number of layers in a group of which some stay in host memory and are fetched ahead; 0
    fetches none."""

    offload_num_in_group: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="layers", requires={"vllm.offload_group_size": IS_SET}, neutral=(1,), examples=(2,)
        ),
    ] = None
    """Number of layers of each group that stay in host memory."""

    offload_prefetch_step: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="layers", requires={"vllm.offload_group_size": IS_SET}, neutral=(1,), examples=(2,)
        ),
    ] = None
    """Number of layers that are fetched ahead."""

    offload_params: Annotated[
        tuple[str, ...] | None,
        Param(
            requires={"vllm.offload_group_size": IS_SET},
            neutral=((),),
            examples=(("gate_up_proj",),),
        ),
    ] = None
    """Segments of names of the parameters that groups may keep in host memory; unset is all."""
