"""Processors between logits and the choice of a token; each one costs time at every step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.schema.base import EngineArg, FrozenModel, Param
from llem.schema.experiment import BackendConfig

STATIC = {"pytorch.batching": (None, "static")}
SAMPLING = {"decoder.temperature": 0.7}
"""What an example of a field that acts on sampling alone is combined with."""

Token = Annotated[int, Field(ge=0)]
Tokens = Annotated[tuple[Token, ...], Field(min_length=1)]


def _engine(name: str) -> tuple[EngineArg, ...]:
    return (EngineArg("generate", name),)


def _watermark(name: str) -> tuple[EngineArg, ...]:
    return (EngineArg("generate", f"watermarking_config.{name}"),)


class Watermark(FrozenModel):
    """Arguments of `transformers.WatermarkingConfig`; unset leaves them to the library."""

    greenlist_ratio: Annotated[
        float | None,
        Field(gt=0, lt=1),
        Param(unit="ratio", maps_to=_watermark("greenlist_ratio"), examples=(0.25,)),
    ] = None
    """Share of the vocabulary that is favoured."""

    bias: Annotated[
        float | None,
        Field(ge=-100, le=100),
        Param(unit="logits", maps_to=_watermark("bias"), examples=(2.0,)),
    ] = None
    """What is added to the logits of favoured tokens."""

    hashing_key: Annotated[
        int | None,
        Field(ge=1, lt=2**63),
        Param(unit="key", maps_to=_watermark("hashing_key"), examples=(15485863,)),
    ] = None
    """Key of the hash that picks the favoured tokens."""

    seeding_scheme: Annotated[
        Literal["lefthash", "selfhash"] | None,
        Param(maps_to=_watermark("seeding_scheme"), examples=("lefthash", "selfhash")),
    ] = None
    """What is hashed; `selfhash` tries each candidate token and is much slower."""

    context_width: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(unit="tokens", maps_to=_watermark("context_width"), examples=(1,)),
    ] = None
    """Earlier tokens that enter the hash."""


class Logits(BackendConfig):
    """Logits processors of `generate()` beyond those that all backends share."""

    no_repeat_ngram_size: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(
            unit="tokens", maps_to=_engine("no_repeat_ngram_size"), requires=STATIC, examples=(3, 2)
        ),
    ] = None
    """Runs of this many tokens may not occur twice."""

    encoder_no_repeat_ngram_size: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(
            unit="tokens",
            maps_to=_engine("encoder_no_repeat_ngram_size"),
            requires=STATIC,
            examples=(3,),
        ),
    ] = None
    """Runs of this many tokens of the prompt may not occur in the output."""

    encoder_repetition_penalty: Annotated[
        float | None,
        Field(gt=0, le=100),
        Param(
            unit="factor",
            maps_to=_engine("encoder_repetition_penalty"),
            requires=STATIC,
            examples=(1.2,),
        ),
    ] = None
    """Favours tokens that occur in the prompt; 1 is no change."""

    guidance_scale: Annotated[
        float | None,
        Field(gt=1, le=100),
        Param(unit="factor", maps_to=_engine("guidance_scale"), requires=STATIC, examples=(1.5,)),
    ] = None
    """Strength of classifier-free guidance away from the prompt's last token alone; computes each
    step twice."""

    top_h: Annotated[
        float | None,
        Field(gt=0, le=1),
        Param(
            unit="ratio",
            maps_to=_engine("top_h"),
            requires=STATIC,
            example_context=SAMPLING,
            examples=(0.4,),
            ignored_when="decoding is greedy",
        ),
    ] = None
    """Sample from the most tokens whose entropy stays below this share of the whole."""

    epsilon_cutoff: Annotated[
        float | None,
        Field(gt=0, lt=1),
        Param(
            unit="probability",
            maps_to=_engine("epsilon_cutoff"),
            requires=STATIC,
            example_context=SAMPLING,
            examples=(3e-4,),
            ignored_when="decoding is greedy",
        ),
    ] = None
    """Sample from tokens that are at least this likely."""

    eta_cutoff: Annotated[
        float | None,
        Field(gt=0, lt=1),
        Param(
            unit="probability",
            maps_to=_engine("eta_cutoff"),
            requires=STATIC,
            example_context=SAMPLING,
            examples=(3e-4,),
            ignored_when="decoding is greedy",
        ),
    ] = None
    """Like `epsilon_cutoff`, with a bound that falls where the distribution is flat."""

    renormalize_logits: Annotated[
        bool | None,
        Param(maps_to=_engine("renormalize_logits"), requires=STATIC, examples=(True, False)),
    ] = None
    """Whether logits are normalised again after the processors."""

    remove_invalid_values: Annotated[
        bool | None,
        Param(maps_to=_engine("remove_invalid_values"), requires=STATIC, examples=(True, False)),
    ] = None
    """Whether not-a-number and infinite logits are replaced; slows each step down."""

    bad_words_ids: Annotated[
        Annotated[tuple[Tokens, ...], Field(min_length=1)] | None,
        Param(
            unit="token ids",
            maps_to=_engine("bad_words_ids"),
            requires=STATIC,
            examples=([[7, 8]],),
        ),
    ] = None
    """Sequences of tokens that may not be generated."""

    suppress_tokens: Annotated[
        Tokens | None,
        Param(
            unit="token ids", maps_to=_engine("suppress_tokens"), requires=STATIC, examples=([7],)
        ),
    ] = None
    """Tokens that may not be generated."""

    begin_suppress_tokens: Annotated[
        Tokens | None,
        Param(
            unit="token ids",
            maps_to=_engine("begin_suppress_tokens"),
            requires=STATIC,
            examples=([7],),
        ),
    ] = None
    """Tokens that may not be generated first."""

    sequence_bias: Annotated[
        Annotated[tuple[tuple[Tokens, float], ...], Field(min_length=1)] | None,
        Param(
            unit="token ids, logits",
            maps_to=_engine("sequence_bias"),
            requires=STATIC,
            examples=([[[7, 8], -2.0]],),
        ),
    ] = None
    """What is added to the logits of a sequence of tokens."""

    exponential_decay_length_penalty: Annotated[
        tuple[Annotated[int, Field(ge=1)], Annotated[float, Field(gt=0)]] | None,
        Param(
            unit="tokens, factor",
            maps_to=_engine("exponential_decay_length_penalty"),
            requires=STATIC,
            example_context={"decoder.ignore_eos": False},
            examples=([16, 1.05],),
            ignored_when="EOS is ignored",
        ),
    ] = None
    """From which output token on EOS becomes likelier, and by what factor at each step."""

    watermarking_config: Annotated[
        Watermark | None,
        Param(
            maps_to=_engine("watermarking_config"),
            requires=STATIC,
            examples=({"bias": 2.0},),
        ),
    ] = None
    """Watermark of favoured tokens that is woven into the text."""
