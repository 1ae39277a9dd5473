"""The key-value cache."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from llem.api import BackendConfig, Param, Section
from llem_pytorch.config.speculation import OFF_AT_ZERO

STATIC = {"pytorch.batching": (None, "static")}
CACHE_PACKAGES = {None: ("optimum-quanto",), "quanto": ("optimum-quanto",), "hqq": ("hqq",)}
"""Packages that quantize a cache; quanto is the default."""

NOT_FP8 = {"pytorch.cache_config.backend": (None, "quanto", "hqq")}


def _param(unit: str = "", **markers: Any) -> Param:
    return Param(
        unit=unit, example_context={"pytorch.cache_implementation": "quantized"}, **markers
    )


class QuantizedCache(Section):
    """Arguments of `transformers.QuantizedCache`; unset leaves them to the library."""

    backend: Annotated[
        Literal["quanto", "hqq", "fp8"] | None,
        _param(neutral=("quanto",), packages=CACHE_PACKAGES, examples=("quanto", "hqq")),
    ] = None
    """Library that quantizes; unset is quanto."""

    nbits: Annotated[
        Literal[1, 2, 3, 4, 8] | None,
        _param("bits", requires=NOT_FP8, neutral=(4,), examples=(4, 2)),
    ] = None
    """Bits per value; quanto knows 2 and 4."""

    axis_key: Annotated[
        Literal[-1, 0, 1] | None, _param(requires=NOT_FP8, neutral=(0,), examples=(0, 1))
    ] = None
    """Axis along which keys are grouped."""

    axis_value: Annotated[
        Literal[-1, 0, 1] | None, _param(requires=NOT_FP8, neutral=(0,), examples=(0, 1))
    ] = None
    """Axis along which values are grouped."""

    q_group_size: Annotated[
        int | None,
        Field(ge=1),
        _param("values", requires=NOT_FP8, neutral=(64,), examples=(64, 32)),
    ] = None
    """Values that share one scale."""

    residual_length: Annotated[
        int | None,
        Field(ge=1),
        _param("tokens", requires=NOT_FP8, neutral=(128,), examples=(128, 64)),
    ] = None
    """Latest tokens that are kept in full precision."""


class Cache(BackendConfig, feeds="generate"):
    """How keys and values of earlier tokens are kept."""

    use_cache: Annotated[
        bool | None, Param(requires=STATIC, neutral=(True,), examples=(True, False))
    ] = None
    """Whether keys and values of earlier tokens are kept; without, each step computes them anew."""

    cache_implementation: Annotated[
        Literal["dynamic", "static", "offloaded", "offloaded_static", "quantized"] | None,
        Param(
            requires={"pytorch.use_cache": (None, True), **STATIC},
            neutral=("dynamic",),
            gpus={"offloaded*": 1},
            examples=("dynamic", "static"),
        ),
    ] = None
    """How the cache is laid out: growing, allocated at full length, moved to the host layer by
    layer, or quantized; unset is the model's own choice, mostly dynamic."""

    cache_config: Annotated[
        QuantizedCache | None,
        Param(
            requires={"pytorch.cache_implementation": "quantized"},
            examples=({"backend": "quanto", "nbits": 4},),
        ),
    ] = None
    """Settings of the quantized cache."""

    max_cache_len: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="tokens",
            requires={"pytorch.cache_implementation": ("static", "offloaded_static")},
            examples=(2048,),
        ),
    ] = None
    """Least length of a static cache, so that batches of several lengths share one compilation."""

    prefill_chunk_size: Annotated[
        int | None,
        Field(ge=0),
        OFF_AT_ZERO,
        Param(
            unit="tokens",
            requires={"pytorch.use_cache": (None, True), **STATIC},
            examples=(64, 1024),
        ),
    ] = None
    """Tokens of a prompt that are computed at once; unset and 0 take the whole prompt."""
