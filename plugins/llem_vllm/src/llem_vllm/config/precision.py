"""Weights in fewer bits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from llem.api import BackendConfig, Param, Section
from llem_vllm.config.choices import Quantization, QuantKey


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
        Field(min_length=1),
        Param(
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
