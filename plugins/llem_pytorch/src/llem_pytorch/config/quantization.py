"""Quantization by the other methods of transformers, told apart by `method`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import Field

from llem.api import BackendConfig, EngineArg, Param, Section

Names = Annotated[tuple[str, ...], Field(min_length=1)]
T = TypeVar("T")
GroupSize = Annotated[int, Field(ge=-1, le=65_536)]


METHOD_PACKAGES = {
    "gptq": ("optimum", "gptqmodel"),
    "awq": ("gptqmodel",),
    "torchao": ("torchao",),
    "hqq": ("hqq",),
    "quanto": ("optimum-quanto",),
    "compressed-tensors": ("compressed-tensors",),
}
"""Packages that read or make weights of each method."""

NATIVE_SINCE = {"fp8": (8, 9), "mxfp4": (7, 5)}
"""First NVIDIA compute capability that computes in a method's type; transformers unpacks a
checkpoint on an older device."""


def _chooses(method: str) -> Param:
    """Return the marker of the field that chooses the object's class, and is no argument of it."""
    return Param(
        affects=EngineArg("load", "quantization_config"),
        packages=_only(method, METHOD_PACKAGES),
        native_compute_capability=_only(method, NATIVE_SINCE),
    )


def _only(method: str, needs: Mapping[str, T]) -> Mapping[str, T]:
    return {name: need for name, need in needs.items() if name == method}


def _param(method: str, unit: str = "", **markers: Any) -> Param:
    return Param(unit=unit, example_context={"pytorch.quantization.method": method}, **markers)


def _kept(method: str) -> Param:
    return _param(method, examples=(["lm_head"],))


def _group(method: str) -> Param:
    return _param(method, "weights", examples=(64,))


def _dense(method: str) -> Param:
    return _param(method, examples=(True, False))


class Method(Section, feeds="load.quantization_config"):
    """The object that says how weights are quantized, of a class of its own for each method."""


class GPTQ(Method, builds="transformers.GPTQConfig"):
    """GPTQ: a checkpoint quantized with it, or quantized now with texts to calibrate on."""

    method: Annotated[Literal["gptq"], _chooses("gptq")]
    """Name of the method."""

    bits: Annotated[Literal[2, 3, 4, 8] | None, _param("gptq", "bits", examples=(4, 8))] = None
    """Bits per weight; unset is 4."""

    dataset: Annotated[
        Literal["wikitext2", "c4", "c4-new"] | Names | None,
        Param(
            maps_to=EngineArg("load", "quantization_config.dataset"),
            affects=EngineArg("load", "quantization_config.tokenizer"),
            example_context={"pytorch.quantization.method": "gptq"},
            examples=("c4",),
        ),
    ] = None
    """What to calibrate on: a data set by name, or texts; a quantized checkpoint needs none."""

    group_size: Annotated[GroupSize | None, _group("gptq")] = None
    """Weights that share one scale; -1 is a whole column."""

    damp_percent: Annotated[
        float | None, Field(gt=0, lt=1), _param("gptq", "ratio", examples=(0.1,))
    ] = None
    """Damping of the Hessian while calibrating."""

    desc_act: Annotated[bool | None, _param("gptq", examples=(False,))] = None
    """Whether columns are taken by falling activation: more accurate, slower to run."""

    act_group_aware: Annotated[bool | None, _param("gptq", examples=(True,))] = None
    """Whether groups are ordered by activation, which costs no speed; off with `desc_act`."""

    sym: Annotated[bool | None, _param("gptq", examples=(True,))] = None
    """Whether the scale is symmetric around zero."""

    true_sequential: Annotated[bool | None, _param("gptq", examples=(True,))] = None
    """Whether layers of one block are calibrated one after another."""

    format: Annotated[str | None, Field(min_length=1), _param("gptq", examples=("gptq",))] = None
    """Format of the packed weights."""

    backend: Annotated[str | None, Field(min_length=1), _param("gptq", examples=("marlin",))] = None
    """Kernel of gptqmodel; unset takes the fastest that fits."""

    model_seqlen: Annotated[int | None, Field(ge=1), _param("gptq", "tokens", examples=(2048,))] = (
        None
    )
    """Longest text to calibrate on."""

    batch_size: Annotated[int | None, Field(ge=1), _param("gptq", "texts", examples=(1,))] = None
    """Texts calibrated on at once."""

    max_input_length: Annotated[
        int | None, Field(ge=1), _param("gptq", "tokens", examples=(4096,))
    ] = None
    """Length of the input buffer of exllama kernels."""


class AWQ(Method, builds="transformers.AwqConfig"):
    """AWQ, of a checkpoint quantized with it."""

    method: Annotated[Literal["awq"], _chooses("awq")]
    """Name of the method."""

    bits: Annotated[Literal[4] | None, _param("awq", "bits", examples=(4,))] = None
    """Bits per weight."""

    group_size: Annotated[GroupSize | None, _group("awq")] = None
    """Weights that share one scale; -1 is a whole column."""

    zero_point: Annotated[bool | None, _param("awq", examples=(True,))] = None
    """Whether the scale has a zero point."""

    backend: Annotated[
        Literal[
            "auto",
            "auto_trainable",
            "machete",
            "marlin",
            "exllama_v2",
            "exllama_v1",
            "gemm",
            "gemm_triton",
            "gemv",
            "gemv_fast",
            "torch_awq",
            "torch_fused_awq",
        ]
        | None,
        _param("awq", examples=("auto", "marlin")),
    ] = None
    """Kernel of gptqmodel."""

    modules_to_not_convert: Annotated[Names | None, _kept("awq")] = None
    """Modules that are left as they are."""


class TorchAO(Method, builds="transformers.TorchAoConfig"):
    """torchao: quantized while loading."""

    method: Annotated[Literal["torchao"], _chooses("torchao")]
    """Name of the method."""

    quant_type: Annotated[
        Literal[
            "Int8WeightOnlyConfig",
            "Int4WeightOnlyConfig",
            "Int8DynamicActivationInt8WeightConfig",
            "Float8WeightOnlyConfig",
            "Float8DynamicActivationFloat8WeightConfig",
            "Float8DynamicActivationInt4WeightConfig",
        ]
        | None,
        _param(
            "torchao",
            affects=EngineArg("load", "quantization_config.quant_type"),
            examples=("Int8WeightOnlyConfig", "Int4WeightOnlyConfig"),
        ),
    ] = None
    """What becomes of weights and activations, by its class in torchao.quantization; unset
    is Int8WeightOnlyConfig."""

    group_size: Annotated[
        int | None,
        Field(ge=1, le=65_536),
        _param(
            "torchao",
            "weights",
            affects=EngineArg("load", "quantization_config.quant_type.group_size"),
            examples=(64,),
            ignored_when="quant_type is neither Int4WeightOnlyConfig nor Int8WeightOnlyConfig",
        ),
    ] = None
    """Weights that share one scale."""

    modules_to_not_convert: Annotated[Names | None, _kept("torchao")] = None
    """Modules that are left as they are."""

    include_input_output_embeddings: Annotated[
        bool | None, _param("torchao", examples=(False,))
    ] = None
    """Whether embeddings are quantized as well."""

    untie_embedding_weights: Annotated[bool | None, _param("torchao", examples=(False,))] = None
    """Whether input and output embeddings stop being one tensor first."""


class HQQ(Method, builds="transformers.HqqConfig"):
    """HQQ: quantized without texts to calibrate on; transformers 5.23 cannot apply it yet."""

    method: Annotated[Literal["hqq"], _chooses("hqq")]
    """Name of the method."""

    nbits: Annotated[Literal[1, 2, 3, 4, 8] | None, _param("hqq", "bits", examples=(4,))] = None
    """Bits per weight."""

    group_size: Annotated[GroupSize | None, _group("hqq")] = None
    """Weights that share one scale."""

    axis: Annotated[Literal[0, 1] | None, _param("hqq", examples=(1,))] = None
    """Axis along which weights are grouped; fast kernels want 1."""

    skip_modules: Annotated[Names | None, _param("hqq", examples=(["lm_head"],))] = None
    """Modules that are left as they are."""


class Quanto(Method, builds="transformers.QuantoConfig"):
    """optimum-quanto: quantized while loading."""

    method: Annotated[Literal["quanto"], _chooses("quanto")]
    """Name of the method."""

    weights: Annotated[
        Literal["float8", "int8", "int4", "int2"] | None,
        _param("quanto", examples=("int8", "int4")),
    ] = None
    """Type of the weights."""

    modules_to_not_convert: Annotated[Names | None, _kept("quanto")] = None
    """Modules that are left as they are."""


class FP8(Method, builds="transformers.FineGrainedFP8Config"):
    """Fine-grained FP8: a checkpoint in it, or quantized while loading."""

    method: Annotated[Literal["fp8"], _chooses("fp8")]
    """Name of the method."""

    activation_scheme: Annotated[
        Literal["dynamic", "static"] | None, _param("fp8", examples=("dynamic",))
    ] = None
    """Whether the scales of activations are computed at each step."""

    weight_block_size: Annotated[
        tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None,
        _param("fp8", "weights", examples=([128, 128],)),
    ] = None
    """Rows and columns of weights that share one scale."""

    dequantize: Annotated[bool | None, _dense("fp8")] = None
    """Whether a quantized checkpoint is unpacked while loading."""

    modules_to_not_convert: Annotated[Names | None, _kept("fp8")] = None
    """Modules that are left as they are."""


class MXFP4(Method, builds="transformers.Mxfp4Config"):
    """MXFP4: a checkpoint in it, or quantized while loading."""

    method: Annotated[Literal["mxfp4"], _chooses("mxfp4")]
    """Name of the method."""

    dequantize: Annotated[bool | None, _dense("mxfp4")] = None
    """Whether a quantized checkpoint is unpacked while loading."""

    modules_to_not_convert: Annotated[Names | None, _kept("mxfp4")] = None
    """Modules that are left as they are."""


class CompressedTensors(Method, builds="transformers.CompressedTensorsConfig"):
    """compressed-tensors, of a checkpoint stored so."""

    method: Annotated[Literal["compressed-tensors"], _chooses("compressed-tensors")]
    """Name of the method."""

    dequantize: Annotated[bool | None, _dense("compressed-tensors")] = None
    """Whether the checkpoint is unpacked while loading."""


Quantization = Annotated[
    GPTQ | AWQ | TorchAO | HQQ | Quanto | FP8 | MXFP4 | CompressedTensors,
    Field(discriminator="method"),
]

METHODS = {
    get_args(kind.model_fields["method"].annotation)[0]: str(kind.__builds__)
    for kind in (GPTQ, AWQ, TorchAO, HQQ, Quanto, FP8, MXFP4, CompressedTensors)
}
"""The class that stands for each method."""


class QuantizationField(BackendConfig):
    """One method besides those of bitsandbytes."""

    quantization: Annotated[
        Quantization | None,
        Param(
            conflicts_with=("model.gguf_file",),
            examples=({"method": "quanto", "weights": "int8"},),
            ignored_when="weights are random",
        ),
    ] = None
    """How weights are quantized while loading, or how a quantized checkpoint is to be loaded; a
    quantized checkpoint needs this only to change what its own config says."""
