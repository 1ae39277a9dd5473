"""Weights in fewer bits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from llem.schema.base import BackendConfig, EngineArg, FrozenModel, Param
from llem_vllm.config.choices import Quantization, QuantKey


class LinearQuantization(FrozenModel):
    """Formats of linear layers under online quantisation."""

    weight: Annotated[
        QuantKey | None,
        Param(
            maps_to=(EngineArg("load", "quantization_config.linear.weight"),),
            examples=("fp8_per_channel_static",),
        ),
    ] = None
    """Format of weights."""

    activation: Annotated[
        QuantKey | None,
        Param(
            maps_to=(EngineArg("load", "quantization_config.linear.activation"),),
            examples=("fp8_per_token",),
        ),
    ] = None
    """Format of activations."""


class ExpertQuantization(FrozenModel):
    """Formats of experts under online quantisation."""

    weight: Annotated[
        QuantKey | None,
        Param(
            maps_to=(EngineArg("load", "quantization_config.moe.weight"),),
            examples=("mxfp4",),
        ),
    ] = None
    """Format of weights."""

    activation: Annotated[
        QuantKey | None,
        Param(
            maps_to=(EngineArg("load", "quantization_config.moe.activation"),),
            examples=("mxfp8",),
        ),
    ] = None
    """Format of activations."""


class OnlineQuantization(FrozenModel):
    """Quantisation while loading, by kind of layer (`QuantizationConfigArgs` of vLLM)."""

    linear: LinearQuantization | None = None
    """Linear layers."""

    moe: ExpertQuantization | None = None
    """Experts of MoE models."""

    ignore: Annotated[
        tuple[str, ...] | None,
        Param(maps_to=(EngineArg("load", "quantization_config.ignore"),), examples=(("lm_head",),)),
    ] = None
    """Layers that keep their type."""

    targets: Annotated[
        dict[str, str] | None,
        Field(min_length=1),
        Param(
            maps_to=(EngineArg("load", "quantization_config.targets"),),
            conflicts_with=("vllm.quantization_config.linear", "vllm.quantization_config.moe"),
            examples=({"re:.*mlp.*": "fp8_per_tensor"},),
        ),
    ] = None
    """Method by layer name or pattern; layers that none fits keep their type."""


class PrecisionFields(BackendConfig):
    """Fields of quantisation."""

    quantization: Annotated[
        Quantization | None,
        Param(maps_to=(EngineArg("load", "quantization"),), examples=("fp8",)),
    ] = None
    """How weights are quantised; unset follows the checkpoint. Several methods need a checkpoint
    that is prepared for them."""

    quantization_config: OnlineQuantization | None = None
    """Quantisation while loading, by kind of layer."""

    allow_deprecated_quantization: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("load", "allow_deprecated_quantization"),),
            requires={"vllm.quantization": ("fbgemm_fp8", "fp_quant")},
            examples=(True,),
        ),
    ] = None
    """Whether a method that vLLM is about to remove may be used."""
