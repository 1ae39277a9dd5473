"""The key-value cache."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from llem.schema.base import EngineArg, FrozenModel, Param
from llem.schema.experiment import BackendConfig

STATIC = {"pytorch.batching": (None, "static")}
NOT_FP8 = {"pytorch.cache_config.backend": (None, "quanto", "hqq")}


def _param(name: str, unit: str = "", **markers: Any) -> Param:
    return Param(
        unit=unit,
        maps_to=(EngineArg("generate", f"cache_config.{name}"),),
        example_context={"pytorch.cache_implementation": "quantized"},
        **markers,
    )


class QuantizedCache(FrozenModel):
    """Arguments of `transformers.QuantizedCache`; unset leaves them to the library."""

    backend: Annotated[
        Literal["quanto", "hqq", "fp8"] | None,
        _param("backend", examples=("quanto", "hqq")),
    ] = None
    """Library that quantises (a package of its own for quanto and hqq); unset is quanto."""

    nbits: Annotated[
        Literal[1, 2, 3, 4, 8] | None,
        _param("nbits", "bits", requires=NOT_FP8, examples=(4, 2)),
    ] = None
    """Bits per value; quanto knows 2 and 4."""

    axis_key: Annotated[
        Literal[-1, 0, 1] | None,
        _param("axis_key", requires=NOT_FP8, examples=(0, 1)),
    ] = None
    """Axis along which keys are grouped."""

    axis_value: Annotated[
        Literal[-1, 0, 1] | None,
        _param("axis_value", requires=NOT_FP8, examples=(0, 1)),
    ] = None
    """Axis along which values are grouped."""

    q_group_size: Annotated[
        int | None,
        Field(ge=1),
        _param("q_group_size", "values", requires=NOT_FP8, examples=(64,)),
    ] = None
    """Values that share one scale."""

    residual_length: Annotated[
        int | None,
        Field(ge=1),
        _param("residual_length", "tokens", requires=NOT_FP8, examples=(128,)),
    ] = None
    """Latest tokens that are kept in full precision."""


class Cache(BackendConfig):
    """How keys and values of earlier tokens are kept."""

    use_cache: Annotated[
        bool | None,
        Param(
            maps_to=(EngineArg("generate", "use_cache"),), requires=STATIC, examples=(True, False)
        ),
    ] = None
    """Whether keys and values of earlier tokens are kept; without, each step computes them anew."""

    cache_implementation: Annotated[
        Literal["dynamic", "static", "offloaded", "offloaded_static", "quantized"] | None,
        Param(
            maps_to=(EngineArg("generate", "cache_implementation"),),
            requires={"pytorch.use_cache": (None, True), **STATIC},
            examples=("dynamic", "static"),
        ),
    ] = None
    """How the cache is laid out: growing, allocated at full length, moved to the host layer by
    layer, or quantised; unset is the model's own choice, mostly dynamic."""

    cache_config: Annotated[
        QuantizedCache | None,
        Param(
            maps_to=(EngineArg("generate", "cache_config"),),
            requires={"pytorch.cache_implementation": "quantized"},
            examples=({"backend": "quanto", "nbits": 4},),
        ),
    ] = None
    """Settings of the quantised cache."""

    max_cache_len: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="tokens",
            maps_to=(EngineArg("generate", "max_cache_len"),),
            requires={"pytorch.cache_implementation": ("static", "offloaded_static")},
            examples=(2048,),
        ),
    ] = None
    """Least length of a static cache, so that batches of several lengths share one compilation."""

    prefill_chunk_size: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="tokens",
            maps_to=(EngineArg("generate", "prefill_chunk_size"),),
            requires={"pytorch.use_cache": (None, True), **STATIC},
            examples=(64, 1024),
        ),
    ] = None
    """Tokens of a prompt that are computed at once; unset takes the whole prompt."""
