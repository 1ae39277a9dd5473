"""Quantization by bitsandbytes while loading; other methods are in `quantization`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, BackendConfig, Param

FOUR_BIT = {"pytorch.load_in_4bit": True}
EIGHT_BIT = {"pytorch.load_in_8bit": True}


class BitsAndBytes(
    BackendConfig, feeds="load.quantization_config", builds="transformers.BitsAndBytesConfig"
):
    """Arguments of `transformers.BitsAndBytesConfig`; unset leaves them to the library."""

    load_in_4bit: Annotated[
        bool | None,
        Param(
            neutral=(False,),
            conflicts_with=("pytorch.quantization", "model.gguf_file"),
            packages={True: ("bitsandbytes",)},
            examples=(True,),
            ignored_when="weights are random, or `false`",
        ),
    ] = None
    """Whether linear layers are stored in 4 bits and computed in another type; `false` is unset."""

    load_in_8bit: Annotated[
        bool | None,
        Param(
            neutral=(False,),
            conflicts_with=("pytorch.load_in_4bit", "pytorch.quantization", "model.gguf_file"),
            packages={True: ("bitsandbytes",)},
            examples=(True,),
            ignored_when="weights are random, or `false`",
        ),
    ] = None
    """Whether linear layers are stored and multiplied in 8 bits (LLM.int8()); `false` is unset."""

    bnb_4bit_compute_dtype: Annotated[
        Literal["float32", "float16", "bfloat16"] | None,
        Param(requires=FOUR_BIT, neutral=("float32",), examples=("bfloat16",)),
    ] = None
    """Type in which 4-bit layers are computed; unset is float32, which is slow."""

    bnb_4bit_quant_type: Annotated[
        Literal["nf4", "fp4"] | None,
        Param(requires=FOUR_BIT, neutral=("fp4",), examples=("nf4", "fp4")),
    ] = None
    """What the 16 values of 4 bits stand for; unset is fp4."""

    bnb_4bit_use_double_quant: Annotated[
        bool | None, Param(requires=FOUR_BIT, neutral=(False,), examples=(True, False))
    ] = None
    """Whether the scales are quantized as well."""

    bnb_4bit_quant_storage: Annotated[
        Literal["float16", "float32", "int8", "uint8", "float64", "bfloat16"] | None,
        Param(requires=FOUR_BIT, neutral=("uint8",), examples=("uint8", "bfloat16")),
    ] = None
    """Type of the tensor that packed 4-bit weights are kept in."""

    llm_int8_threshold: Annotated[
        float | None,
        Field(ge=0, le=1000),
        Param(unit="magnitude", requires=EIGHT_BIT, neutral=(6,), examples=(6.0, 0.0)),
    ] = None
    """Activations above this are multiplied in 16 bits; 0 makes no exception."""

    llm_int8_skip_modules: Annotated[
        tuple[str, ...] | None,
        Param(example_context=EIGHT_BIT, neutral=((),), examples=(["lm_head"],)),
    ] = None
    """Modules that are left as they are, in 4 bits as well despite the name."""

    llm_int8_enable_fp32_cpu_offload: Annotated[
        bool | None,
        Param(
            requires={**EIGHT_BIT, "pytorch.device_map": IS_SET},
            neutral=(False,),
            examples=(True, False),
        ),
    ] = None
    """Whether modules that `device_map` puts on the CPU may stay there, in float32."""

    llm_int8_has_fp16_weight: Annotated[
        bool | None, Param(requires=EIGHT_BIT, neutral=(False,), examples=(False, True))
    ] = None
    """Whether weights are kept in 16 bits and quantized at each step."""
