"""Quantization of a checkpoint, and quantization by the legacy TensorRT execution."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, EngineArg, Param, Section
from llem_trt.hardware import ALGORITHM_NEEDS, RUNS_ON, Algorithm, elsewhere
from llem_trt.versions import OLD, TENSORRT, Only

_BUILT = {**OLD, **TENSORRT}
_CALIBRATED = {**_BUILT, "trt.quantization.quant_algo": "FP8"}


class Quantization(Section, feeds="load.quant_config", builds="tensorrt_llm.llmapi.QuantConfig"):
    """How weights are quantized while the TensorRT engine is built: ``QuantConfig``."""

    quant_algo: Annotated[
        Algorithm | None,
        Param(
            member_of="tensorrt_llm.llmapi.QuantAlgo",
            min_compute_capability=ALGORITHM_NEEDS,
            ignored_when=elsewhere(RUNS_ON),
            examples=("FP8",),
            example_context=_BUILT,
        ),
    ] = None
    """Algorithm of weights and activations."""

    kv_cache_quant_algo: Annotated[
        Literal["FP8", "INT8", "NVFP4"] | None,
        Param(member_of="tensorrt_llm.llmapi.QuantAlgo", examples=("FP8",), example_context=_BUILT),
    ] = None
    """Algorithm of the KV cache."""

    group_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="weights", neutral=(128,), examples=(64,), example_context=_BUILT),
    ] = None
    """Weights that share a scale."""

    smoothquant_val: Annotated[
        float | None,
        Field(ge=0, le=1),
        Param(unit="1", neutral=(0.5,), examples=(0.6,), example_context=_BUILT),
    ] = None
    """Share of the activations' range that SmoothQuant moves into the weights."""

    clamp_val: Annotated[
        tuple[float, float] | None, Param(unit="1", examples=((-1.0, 1.0),), example_context=_BUILT)
    ] = None
    """Bounds of the values under row-wise FP8."""

    use_meta_recipe: Annotated[
        bool | None, Param(neutral=(False,), examples=(True,), example_context=_BUILT)
    ] = None
    """Whether row-wise FP8 skips the layers that Meta's recipe skips."""

    has_zero_point: Annotated[
        bool | None, Param(neutral=(False,), examples=(True,), example_context=_BUILT)
    ] = None
    """Whether quantized weights have a zero point."""

    pre_quant_scale: Annotated[
        bool | None, Param(neutral=(False,), examples=(True,), example_context=_BUILT)
    ] = None
    """Whether activations are scaled before they are quantized."""

    exclude_modules: Annotated[
        tuple[str, ...] | None,
        Param(neutral=((),), examples=(("lm_head",),), example_context=_BUILT),
    ] = None
    """Modules that are not quantized."""


class Calibration(Section, feeds="load.calib_config", builds="tensorrt_llm.llmapi.CalibConfig"):
    """The data by which activation scales are found: ``CalibConfig``."""

    device: Annotated[
        Literal["cuda", "cpu"] | None,
        Param(neutral=("cuda",), examples=("cpu",), example_context=_CALIBRATED),
    ] = None
    """Device of the calibration."""

    calib_dataset: Annotated[
        str | None,
        Field(min_length=1),
        Param(neutral=("cnn_dailymail",), examples=("folder",), example_context=_CALIBRATED),
    ] = None
    """Hub id or folder of the calibration data."""

    calib_batches: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="batches", neutral=(512,), examples=(64,), example_context=_CALIBRATED),
    ] = None
    """Number of calibration batches."""

    calib_batch_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="prompts", neutral=(1,), examples=(4,), example_context=_CALIBRATED),
    ] = None
    """Prompts in a calibration batch."""

    calib_max_seq_length: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", neutral=(512,), examples=(1024,), example_context=_CALIBRATED),
    ] = None
    """Tokens of a calibration prompt that are used."""

    random_seed: Annotated[
        int | None,
        Field(ge=0, lt=2**32),
        Param(unit="1", neutral=(1234,), examples=(1,), example_context=_CALIBRATED),
    ] = None
    """Seed of the choice of calibration prompts."""

    tokenizer_max_seq_length: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", neutral=(2048,), examples=(1024,), example_context=_CALIBRATED),
    ] = None
    """Tokens of a calibration prompt that are read."""


class QuantizationFields(BackendConfig, feeds="load"):
    """Quantization, by the checkpoint or by building."""

    checkpoint_quantization: Annotated[
        Algorithm | None,
        Param(
            maps_to=EngineArg("settings", "quant_algo"),
            min_compute_capability=ALGORITHM_NEEDS,
            ignored_when=elsewhere(RUNS_ON),
            examples=("FP8", "NVFP4"),
        ),
    ] = None
    """Algorithm of the checkpoint's quantization. It changes nothing: the engine reads the
    algorithm from the checkpoint. llem checks beforehand that the GPU supports it, and afterwards
    that it was in force."""

    quantization: Annotated[
        Quantization | None,
        Param(requires=TENSORRT, examples=({"quant_algo": "FP8"},), example_context=OLD),
        Only("1.2"),
    ] = None
    """Quantization while the legacy TensorRT engine is built. The PyTorch execution lacks this
    argument and takes a quantized checkpoint."""

    calibration: Annotated[
        Calibration | None,
        Param(
            requires=TENSORRT,
            examples=({"calib_batches": 64},),
            example_context={**OLD, "trt.quantization.quant_algo": "FP8"},
        ),
        Only("1.2"),
    ] = None
    """Data from which quantization while building computes its scales."""
