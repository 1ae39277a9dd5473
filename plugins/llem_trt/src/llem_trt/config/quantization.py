"""Quantisation: what a checkpoint is, and what the legacy TensorRT execution makes of one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from llem.schema.base import FrozenModel, Param
from llem.schema.experiment import BackendConfig
from llem_trt.config.algorithms import Algorithm
from llem_trt.config.markers import OLD, TENSORRT, llm, session
from llem_trt.hardware import ALGORITHM_NEEDS
from llem_trt.versions import Only

_BUILT = {**OLD, **TENSORRT}


def _quantised(name: str, **options: Any) -> Param:
    return llm(f"quant_config.{name}", example_context=_BUILT, **options)


def _calibrated(name: str, **options: Any) -> Param:
    example_context = {**_BUILT, "trt.quantization.quant_algo": "FP8"}
    return llm(f"calib_config.{name}", example_context=example_context, **options)


class Quantization(FrozenModel):
    """How weights are quantised while the TensorRT engine is built: ``QuantConfig``."""

    quant_algo: Annotated[
        Algorithm | None,
        _quantised("quant_algo", min_compute_capability=ALGORITHM_NEEDS, examples=("FP8",)),
    ] = None
    """Algorithm of weights and activations."""

    kv_cache_quant_algo: Annotated[
        Literal["FP8", "INT8", "NVFP4"] | None,
        _quantised("kv_cache_quant_algo", examples=("FP8",)),
    ] = None
    """Algorithm of the KV cache."""

    group_size: Annotated[
        int | None,
        Field(ge=1),
        _quantised("group_size", unit="weights", examples=(64,)),
    ] = None
    """Weights that share a scale."""

    smoothquant_val: Annotated[
        float | None,
        Field(ge=0, le=1),
        _quantised("smoothquant_val", unit="1", examples=(0.6,)),
    ] = None
    """How much of the activations' range SmoothQuant moves into the weights."""

    clamp_val: Annotated[
        tuple[float, float] | None, _quantised("clamp_val", unit="1", examples=((-1.0, 1.0),))
    ] = None
    """Bounds of the values under row-wise FP8."""

    use_meta_recipe: Annotated[bool | None, _quantised("use_meta_recipe", examples=(True,))] = None
    """Whether row-wise FP8 leaves out the layers that Meta's recipe does."""

    has_zero_point: Annotated[bool | None, _quantised("has_zero_point", examples=(True,))] = None
    """Whether quantised weights have a zero point."""

    pre_quant_scale: Annotated[bool | None, _quantised("pre_quant_scale", examples=(True,))] = None
    """Whether activations are scaled before they are quantised."""

    exclude_modules: Annotated[
        tuple[str, ...] | None,
        Field(min_length=1),
        _quantised("exclude_modules", examples=(("lm_head",),)),
    ] = None
    """Modules that stay as they are."""


class Calibration(FrozenModel):
    """The data by which activation scales are found: ``CalibConfig``."""

    device: Annotated[Literal["cuda", "cpu"] | None, _calibrated("device", examples=("cpu",))] = (
        None
    )
    """Where it runs."""

    calib_dataset: Annotated[
        str | None,
        Field(min_length=1),
        _calibrated("calib_dataset", examples=("folder",)),
    ] = None
    """Hub id or folder of the data."""

    calib_batches: Annotated[
        int | None, Field(ge=1), _calibrated("calib_batches", unit="batches", examples=(64,))
    ] = None
    """Batches."""

    calib_batch_size: Annotated[
        int | None,
        Field(ge=1),
        _calibrated("calib_batch_size", unit="prompts", examples=(4,)),
    ] = None
    """Prompts in a batch."""

    calib_max_seq_length: Annotated[
        int | None,
        Field(ge=1),
        _calibrated("calib_max_seq_length", unit="tokens", examples=(1024,)),
    ] = None
    """Tokens of a prompt that are used."""

    random_seed: Annotated[
        int | None, Field(ge=0, lt=2**32), _calibrated("random_seed", unit="1", examples=(1,))
    ] = None
    """Seed of the choice of prompts."""

    tokenizer_max_seq_length: Annotated[
        int | None,
        Field(ge=1),
        _calibrated("tokenizer_max_seq_length", unit="tokens", examples=(1024,)),
    ] = None
    """Tokens of a prompt that are read."""


class QuantizationFields(BackendConfig):
    """Quantisation, by the checkpoint or by building."""

    checkpoint_quantization: Annotated[
        Algorithm | None,
        session("quant_algo", min_compute_capability=ALGORITHM_NEEDS, examples=("FP8", "NVFP4")),
    ] = None
    """Algorithm that the checkpoint was quantised with. It changes nothing by itself: the engine
    reads it from the checkpoint. Naming it checks the GPU beforehand, and that it was in force
    afterwards."""

    quantization: Annotated[
        Quantization | None,
        llm(
            "quant_config",
            requires=TENSORRT,
            examples=({"quant_algo": "FP8"},),
            example_context=OLD,
        ),
        Only("1.2"),
    ] = None
    """Quantisation while the legacy TensorRT engine is built. The PyTorch execution has no such
    argument and takes a checkpoint that is quantised already."""

    calibration: Annotated[
        Calibration | None,
        llm(
            "calib_config",
            requires=TENSORRT,
            examples=({"calib_batches": 64},),
            example_context={**OLD, "trt.quantization.quant_algo": "FP8"},
        ),
        Only("1.2"),
    ] = None
    """Data by which that quantisation finds its scales."""
