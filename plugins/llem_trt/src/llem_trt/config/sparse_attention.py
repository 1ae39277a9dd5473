"""Sparse attention, which leaves tokens out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from llem.api import EngineArg, Param, Section

Scale = Annotated[float, Field(ge=0)]

Algorithm = Literal["rocket", "dsa", "skip_softmax"]

CLASSES: Mapping[Algorithm, str] = {
    "rocket": "tensorrt_llm.llmapi.RocketSparseAttentionConfig",
    "dsa": "tensorrt_llm.llmapi.DeepSeekSparseAttentionConfig",
    "skip_softmax": "tensorrt_llm.llmapi.SkipSoftmaxAttentionConfig",
}
"""The engine's class for each algorithm."""

_ROCKET = {"trt.sparse_attention.algorithm": "rocket"}
_DSA = {"trt.sparse_attention.algorithm": "dsa"}
_SKIP_SOFTMAX = {"trt.sparse_attention.algorithm": "skip_softmax"}
_ANY = {"trt.sparse_attention.algorithm": tuple(CLASSES)}


class SparseAttention(Section, feeds="load.sparse_attention_config"):
    """An algorithm and its settings; unset ones are the algorithm's own."""

    algorithm: Annotated[
        Algorithm | None,
        Param(affects=EngineArg("load", "sparse_attention_config"), examples=("rocket",)),
    ] = None
    """Algorithm: RocketKV, DeepSeek's sparse attention, or skipping parts of the softmax."""

    seq_len_threshold: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="tokens", requires=_ANY, examples=(2048,)),
    ] = None
    """Length from which a sequence counts as long."""

    window_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires=_ROCKET, neutral=(32,), examples=(64,)),
    ] = None
    """Number of last prompt tokens whose attention ranks the others."""

    kernel_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires=_ROCKET, neutral=(63,), examples=(31,)),
    ] = None
    """Width of the pooling of these ranks."""

    topr: Annotated[
        float | None, Field(gt=0), Param(unit="1", requires=_ROCKET, neutral=(128,), examples=(64,))
    ] = None
    """Number of dimensions of a head that are compared."""

    topk: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="pages", requires=_ROCKET, neutral=(64,), examples=(32,)),
    ] = None
    """Number of pages that a step attends to."""

    prompt_budget: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires=_ROCKET, neutral=(2048,), examples=(1024,)),
    ] = None
    """Number of prompt tokens that are kept."""

    page_size: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", requires=_ROCKET, neutral=(4,), examples=(8,))
    ] = None
    """Tokens of a page."""

    kt_cache_dtype: Annotated[
        Literal["bfloat16", "float8_e5m2"] | None,
        Param(requires=_ROCKET, neutral=("float8_e5m2",), examples=("bfloat16",)),
    ] = None
    """Data type of the cache of compared keys."""

    index_n_heads: Annotated[
        int | None, Field(ge=1), Param(unit="heads", requires=_DSA, examples=(64,))
    ] = None
    """Heads of the indexer; unset takes the model's."""

    index_head_dim: Annotated[
        int | None, Field(ge=1), Param(unit="1", requires=_DSA, examples=(128,))
    ] = None
    """Width of an indexer head; unset takes the model's."""

    index_topk: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", requires=_DSA, examples=(1024,))
    ] = None
    """Number of tokens that the indexer keeps; unset takes the model's."""

    indexer_max_chunk_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires=_DSA, examples=(8192,)),
    ] = None
    """Number of tokens that the indexer processes at once."""

    skip_indexer_for_short_seqs: Annotated[
        bool | None, Param(requires=_DSA, neutral=(True,), examples=(False,))
    ] = None
    """Whether short sequences skip the indexer."""

    threshold_scale_factor: Annotated[
        Scale | dict[Literal["prefill", "decode"], Scale] | None,
        Param(unit="1", requires=_SKIP_SOFTMAX, examples=(1.0,)),
    ] = None
    """Scale of the threshold below which parts of the softmax are skipped, for both phases or for
    each."""
