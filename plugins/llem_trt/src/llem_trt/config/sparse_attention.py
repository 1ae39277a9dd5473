"""Attention that leaves tokens out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from llem.schema.base import FrozenModel, Param
from llem_trt.config.markers import llm

Scale = Annotated[float, Field(ge=0)]

Algorithm = Literal["rocket", "dsa", "skip_softmax"]


def _of(name: str, *algorithms: Algorithm, **options: Any) -> Param:
    requires = {"trt.sparse_attention.algorithm": algorithms}
    return llm(f"sparse_attention_config.{name}", requires=requires, **options)


class SparseAttention(FrozenModel):
    """An algorithm and its settings; unset ones are the algorithm's own."""

    algorithm: Annotated[Algorithm, llm("sparse_attention_config", examples=("rocket",))]
    """Algorithm: RocketKV, DeepSeek's sparse attention, or skipping parts of the softmax."""

    seq_len_threshold: Annotated[
        int | None,
        Field(ge=0),
        _of(
            "seq_len_threshold",
            "rocket",
            "dsa",
            "skip_softmax",
            unit="tokens",
            examples=(2048,),
        ),
    ] = None
    """Length from which a sequence counts as long."""

    window_size: Annotated[
        int | None, Field(ge=1), _of("window_size", "rocket", unit="tokens", examples=(64,))
    ] = None
    """Last prompt tokens by whose attention the others are judged."""

    kernel_size: Annotated[
        int | None, Field(ge=1), _of("kernel_size", "rocket", unit="tokens", examples=(31,))
    ] = None
    """Width over which those judgements are pooled."""

    topr: Annotated[float | None, Field(gt=0), _of("topr", "rocket", unit="1", examples=(64,))] = (
        None
    )
    """Dimensions of a head that are compared."""

    topk: Annotated[
        int | None, Field(ge=1), _of("topk", "rocket", unit="pages", examples=(32,))
    ] = None
    """Pages that one step attends to."""

    prompt_budget: Annotated[
        int | None, Field(ge=1), _of("prompt_budget", "rocket", unit="tokens", examples=(1024,))
    ] = None
    """Prompt tokens that are kept."""

    page_size: Annotated[
        int | None, Field(ge=1), _of("page_size", "rocket", unit="tokens", examples=(8,))
    ] = None
    """Tokens of a page."""

    kt_cache_dtype: Annotated[
        Literal["bfloat16", "float8_e5m2"] | None,
        _of("kt_cache_dtype", "rocket", examples=("bfloat16",)),
    ] = None
    """Data type of the cache of compared keys."""

    index_n_heads: Annotated[
        int | None, Field(ge=1), _of("index_n_heads", "dsa", unit="heads", examples=(64,))
    ] = None
    """Heads of the indexer; unset takes the model's."""

    index_head_dim: Annotated[
        int | None, Field(ge=1), _of("index_head_dim", "dsa", unit="1", examples=(128,))
    ] = None
    """Width of one of its heads; unset takes the model's."""

    index_topk: Annotated[
        int | None, Field(ge=1), _of("index_topk", "dsa", unit="tokens", examples=(1024,))
    ] = None
    """Tokens it keeps; unset takes the model's."""

    indexer_max_chunk_size: Annotated[
        int | None,
        Field(ge=1),
        _of("indexer_max_chunk_size", "dsa", unit="tokens", examples=(8192,)),
    ] = None
    """Tokens it judges at once."""

    skip_indexer_for_short_seqs: Annotated[
        bool | None, _of("skip_indexer_for_short_seqs", "dsa", examples=(False,))
    ] = None
    """Whether short sequences do without it."""

    threshold_scale_factor: Annotated[
        Scale | dict[Literal["prefill", "decode"], Scale] | None,
        _of("threshold_scale_factor", "skip_softmax", unit="1", examples=(1.0,)),
    ] = None
    """Scale of the threshold below which parts are skipped, for both phases or for each."""
