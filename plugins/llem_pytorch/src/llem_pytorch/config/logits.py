"""Processors between logits and the choice of a token; each one costs time at every step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, Param, Section

STATIC = {"pytorch.batching": (None, "static")}
SAMPLING = {"decoder.temperature": 0.7}
"""What an example of a field that acts on sampling alone is combined with."""

Token = Annotated[int, Field(ge=0)]
Tokens = Annotated[tuple[Token, ...], Field(min_length=1)]


class Watermark(Section, builds="transformers.WatermarkingConfig"):
    """Arguments of `transformers.WatermarkingConfig`; unset leaves them to the library."""

    greenlist_ratio: Annotated[
        float | None, Field(gt=0, lt=1), Param(unit="ratio", examples=(0.25,))
    ] = None
    """Share of the vocabulary that is favored."""

    bias: Annotated[float | None, Field(ge=-100, le=100), Param(unit="logits", examples=(2.0,))] = (
        None
    )
    """What is added to the logits of favored tokens."""

    hashing_key: Annotated[
        int | None, Field(ge=1, lt=2**63), Param(unit="key", examples=(15485863,))
    ] = None
    """Key of the hash that picks the favored tokens."""

    seeding_scheme: Annotated[
        Literal["lefthash", "selfhash"] | None, Param(examples=("lefthash", "selfhash"))
    ] = None
    """What is hashed; `selfhash` tries each candidate token and is much slower."""

    context_width: Annotated[
        int | None, Field(ge=1, le=1024), Param(unit="tokens", examples=(1,))
    ] = None
    """Earlier tokens that enter the hash."""


class Logits(BackendConfig, feeds="generate"):
    """Logits processors of `generate()` beyond those that all backends share."""

    no_repeat_ngram_size: Annotated[
        int | None,
        Field(ge=0, le=1024),
        Param(unit="tokens", requires=STATIC, neutral=(0,), examples=(3, 2)),
    ] = None
    """Runs of this many tokens may not occur twice; 0 allows it."""

    encoder_no_repeat_ngram_size: Annotated[
        int | None,
        Field(ge=0, le=1024),
        Param(unit="tokens", requires=STATIC, neutral=(0,), examples=(3,)),
    ] = None
    """Runs of this many tokens of the prompt may not occur in the output; 0 allows it."""

    encoder_repetition_penalty: Annotated[
        float | None,
        Field(gt=0, le=100),
        Param(unit="factor", requires=STATIC, neutral=(1,), examples=(1.2,)),
    ] = None
    """Favors tokens that occur in the prompt; 1 is no change."""

    guidance_scale: Annotated[
        float | None,
        Field(ge=1, le=100),
        Param(unit="factor", requires=STATIC, neutral=(1,), examples=(1.5,)),
    ] = None
    """Strength of classifier-free guidance away from the prompt's last token alone; computes each
    step twice, but for 1, which is none."""

    top_h: Annotated[
        float | None,
        Field(gt=0, le=1),
        Param(
            unit="ratio",
            requires=STATIC,
            neutral=(1,),
            example_context=SAMPLING,
            examples=(0.4,),
            ignored_when="decoding is greedy",
        ),
    ] = None
    """Sample from the most tokens whose entropy stays below this share of the whole."""

    epsilon_cutoff: Annotated[
        float | None,
        Field(ge=0, le=1),
        Param(
            unit="probability",
            requires=STATIC,
            neutral=(0, 1),
            example_context=SAMPLING,
            examples=(3e-4,),
            ignored_when="decoding is greedy",
        ),
    ] = None
    """Sample from tokens that are at least this likely; 0 and 1 are no bound."""

    eta_cutoff: Annotated[
        float | None,
        Field(ge=0, le=1),
        Param(
            unit="probability",
            requires=STATIC,
            neutral=(0, 1),
            example_context=SAMPLING,
            examples=(3e-4,),
            ignored_when="decoding is greedy",
        ),
    ] = None
    """Like `epsilon_cutoff`, with a bound that falls where the distribution is flat."""

    renormalize_logits: Annotated[
        bool | None, Param(requires=STATIC, neutral=(False,), examples=(True, False))
    ] = None
    """Whether logits are normalized again after the processors."""

    remove_invalid_values: Annotated[
        bool | None, Param(requires=STATIC, neutral=(False,), examples=(True, False))
    ] = None
    """Whether not-a-number and infinite logits are replaced; slows each step down."""

    bad_words_ids: Annotated[
        tuple[Tokens, ...] | None,
        Param(unit="token ids", requires=STATIC, neutral=((),), examples=([[7, 8]],)),
    ] = None
    """Sequences of tokens that may not be generated."""

    suppress_tokens: Annotated[
        tuple[Token, ...] | None,
        Param(unit="token ids", requires=STATIC, neutral=((),), examples=([7],)),
    ] = None
    """Tokens that may not be generated."""

    begin_suppress_tokens: Annotated[
        tuple[Token, ...] | None,
        Param(unit="token ids", requires=STATIC, neutral=((),), examples=([7],)),
    ] = None
    """Tokens that may not be generated first."""

    sequence_bias: Annotated[
        tuple[tuple[Tokens, float], ...] | None,
        Param(
            unit="token ids, logits", requires=STATIC, neutral=((),), examples=([[[7, 8], -2.0]],)
        ),
    ] = None
    """What is added to the logits of a sequence of tokens."""

    exponential_decay_length_penalty: Annotated[
        tuple[Annotated[int, Field(ge=1)], Annotated[float, Field(gt=0)]] | None,
        Param(
            unit="tokens, factor",
            requires=STATIC,
            example_context={"decoder.ignore_eos": False},
            examples=([16, 1.05],),
            ignored_when="EOS is ignored",
        ),
    ] = None
    """From which output token on EOS becomes likelier, and by what factor at each step."""

    watermarking_config: Annotated[
        Watermark | None, Param(requires=STATIC, examples=({"bias": 2.0},))
    ] = None
    """Watermark of favored tokens that is woven into the text."""
