"""Speculative decoding: drafts that the model verifies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, BackendConfig, EngineArg, Param, Section
from llem_vllm.config.choices import (
    AttentionBackend,
    KvCacheDtype,
    MoeBackend,
    Quantization,
    SpeculativeMethod,
)

_DRAFT = {"vllm.speculative_config.model": "org/draft-model"}
_LOOKUP = {"vllm.speculative_config.method": ("ngram", "ngram_gpu")}
_SUFFIX = {"vllm.speculative_config.method": "suffix"}
_FORGETFUL = {"vllm.speculative_config.suffix_decoding_max_cached_requests": 0}
_DSPARK = {"vllm.speculative_config.method": "dspark"}
_SYNTHETIC = {"vllm.speculative_config.rejection_sample_method": "synthetic"}
_LENGTH = {"vllm.speculative_config.num_speculative_tokens": 3}


class Speculation(Section, feeds="load.speculative_config"):
    """Settings of speculative decoding (`SpeculativeConfig` of vLLM)."""

    method: Annotated[
        SpeculativeMethod | None,
        Param(
            maps_to=EngineArg("load", "speculative_config.method"),
            affects=EngineArg("load", "speculative_config"),
            example_context=_LENGTH,
            examples=("ngram", "eagle3"),
        ),
    ] = None
    """How tokens are drafted; unset follows `model`."""

    model: Annotated[
        str | None,
        Field(min_length=1),
        Param(
            maps_to=EngineArg("load", "speculative_config.model"),
            affects=EngineArg("load", "speculative_config"),
            examples=("org/draft-model",),
        ),
    ] = None
    """Draft model, or further weights, as a hub id or folder."""

    num_speculative_tokens: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", example_context=_DRAFT, examples=(3,))
    ] = None
    """Tokens drafted per step."""

    num_speculative_tokens_per_batch_size: Annotated[
        tuple[tuple[int, int, int], ...] | None,
        Param(unit="tokens", example_context=_DRAFT, examples=(((1, 8, 5), (9, 64, 2)),)),
    ] = None
    """Tokens drafted per step by batch size: least and greatest batch size, and the number of
    tokens."""

    prompt_lookup_max: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires=_LOOKUP, example_context=_LENGTH, examples=(4,)),
    ] = None
    """Longest run of tokens to look up in the prompt; 5 if neither bound is set."""

    prompt_lookup_min: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", requires=_LOOKUP, example_context=_LENGTH, examples=(2,)),
    ] = None
    """Shortest run of tokens to look up in the prompt."""

    suffix_decoding_max_tree_depth: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="levels",
            requires=_SUFFIX,
            example_context=_FORGETFUL,
            neutral=(24,),
            examples=(32,),
        ),
    ] = None
    """Maximum depth of the suffix trees."""

    suffix_decoding_max_cached_requests: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="requests", requires=_SUFFIX, neutral=(10_000,), examples=(0,)),
    ] = None
    """Earlier answers that suffix trees remember. Repetitions are alike, so llem allows only 0,
    which remembers none."""

    suffix_decoding_max_spec_factor: Annotated[
        float | None,
        Field(gt=0),
        Param(
            unit="ratio",
            requires=_SUFFIX,
            example_context=_FORGETFUL,
            neutral=(1.0,),
            examples=(2.0,),
        ),
    ] = None
    """Maximum number of drafted tokens per token of the match."""

    suffix_decoding_min_token_prob: Annotated[
        float | None,
        Field(ge=0, le=1),
        Param(
            unit="ratio",
            requires=_SUFFIX,
            example_context=_FORGETFUL,
            neutral=(0.1,),
            examples=(0.2,),
        ),
    ] = None
    """Minimum estimated probability of a drafted token."""

    draft_tensor_parallel_size: Annotated[
        int | None, Field(ge=1), Param(unit="devices", example_context=_DRAFT, examples=(1,))
    ] = None
    """Devices that the draft model is split over: 1, or as many as the model."""

    enforce_eager: Annotated[bool | None, Param(example_context=_DRAFT, examples=(True,))] = None
    """Whether the draft model runs without graphs."""

    quantization: Annotated[
        Quantization | None, Param(example_context=_DRAFT, examples=("fp8",))
    ] = None
    """Method of weight quantization of the draft model."""

    attention_backend: Annotated[
        AttentionBackend | None, Param(example_context=_DRAFT, examples=("FLASH_ATTN",))
    ] = None
    """Attention kernel of the draft model."""

    moe_backend: Annotated[
        MoeBackend | None, Param(example_context=_DRAFT, examples=("triton",))
    ] = None
    """Kernel for the experts of the draft model."""

    kv_cache_dtype: Annotated[
        KvCacheDtype | None, Param(example_context=_DRAFT, examples=("fp8",))
    ] = None
    """Data type of the KV cache of the draft model."""

    max_model_len: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", example_context=_DRAFT, examples=(2048,))
    ] = None
    """Longest context of the draft model."""

    revision: Annotated[
        str | None, Param(requires={"vllm.speculative_config.model": IS_SET}, examples=("main",))
    ] = None
    """Branch, tag or commit of the draft model."""

    code_revision: Annotated[
        str | None, Param(requires={"vllm.speculative_config.model": IS_SET}, examples=("main",))
    ] = None
    """Branch, tag or commit of the draft model's code."""

    parallel_drafting: Annotated[
        bool | None, Param(example_context=_DRAFT, neutral=(False,), examples=(True,))
    ] = None
    """Whether one forward pass makes all draft tokens."""

    draft_sample_method: Annotated[
        Literal["greedy", "probabilistic"] | None,
        Param(example_context=_DRAFT, neutral=("greedy",), examples=("probabilistic",)),
    ] = None
    """How the draft model chooses tokens."""

    rejection_sample_method: Annotated[
        Literal["standard", "synthetic", "block"] | None,
        Param(example_context=_DRAFT, neutral=("standard",), examples=("block",)),
    ] = None
    """How drafted tokens are verified; `synthetic` accepts a configured share."""

    synthetic_acceptance_rates: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1)], ...] | None,
        Param(
            unit="ratio",
            requires=_SYNTHETIC,
            conflicts_with=("vllm.speculative_config.synthetic_acceptance_length",),
            example_context=_DRAFT,
            examples=((0.8, 0.6, 0.4),),
        ),
    ] = None
    """Share of drafted tokens to accept, by position."""

    synthetic_acceptance_length: Annotated[
        float | None,
        Field(ge=1),
        Param(unit="tokens", requires=_SYNTHETIC, example_context=_DRAFT, examples=(2.5,)),
    ] = None
    """Mean number of accepted tokens per step."""

    disable_padded_drafter_batch: Annotated[
        bool | None, Param(example_context=_DRAFT, neutral=(False,), examples=(True,))
    ] = None
    """Whether requests of a draft batch may have different lengths."""

    disable_eagle_block_drop: Annotated[
        bool | None, Param(example_context=_DRAFT, neutral=(False,), examples=(True,))
    ] = None
    """Whether EAGLE-like methods keep the last block of a shared beginning."""

    use_local_argmax_reduction: Annotated[
        bool | None, Param(example_context=_DRAFT, neutral=(False,), examples=(True,))
    ] = None
    """Whether each device picks greedy drafts separately."""

    use_heterogeneous_vocab: Annotated[
        bool | None,
        Param(
            requires={"vllm.speculative_config.method": "draft_model"},
            neutral=(False,),
            examples=(True,),
        ),
    ] = None
    """Whether draft and model may have different vocabularies."""

    index_share_for_mtp_iteration: Annotated[
        bool | None, Param(example_context=_DRAFT, examples=(True,))
    ] = None
    """Whether the drafts of a step share their sparse-attention indices."""

    enable_adaptive_verification: Annotated[
        bool | None, Param(requires=_DSPARK, neutral=(False,), examples=(True,))
    ] = None
    """Whether the number of verified tokens follows the draft's confidence."""

    dspark_draft_topk: Annotated[
        int | None, Field(ge=1), Param(unit="tokens", requires=_DSPARK, examples=(64,))
    ] = None
    """Number of candidates of the DSpark projection."""


class SpeculationFields(BackendConfig):
    """Field of speculative decoding."""

    speculative_config: Speculation | None = None
    """Speculative decoding; unset turns it off."""

    @property
    def speculates(self) -> bool:
        """Whether the settings name a source of draft tokens."""
        settings = self.speculative_config
        return settings is not None and (settings.method is not None or settings.model is not None)
