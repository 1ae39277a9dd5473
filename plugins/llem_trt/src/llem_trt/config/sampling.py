"""Sampling settings beyond the shared decoder section: ``SamplingParams``."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from llem.api import IS_SET, EngineArg, Param, Section

_BEAMS = {"trt.sampling.beam_width": IS_SET}
_WIDE = {"trt.max_beam_width": 4, "trt.disable_overlap_scheduler": True}
_GUIDE = {"trt.guided_decoding_backend": "xgrammar"}
_GUIDES = tuple(
    f"trt.sampling.guided_decoding.{name}"
    for name in ("json_schema", "regex", "grammar", "json_object")
)
_TOP_P = {"decoder.top_p": IS_SET}
_WARM = {"decoder.temperature": 0.7}

Penalty = Annotated[float, Field(ge=-2, le=2)]


class GuidedDecoding(
    Section, feeds="sampling.guided_decoding", builds="tensorrt_llm.llmapi.GuidedDecodingParams"
):
    """What outputs must look like; one of these: ``GuidedDecodingParams``."""

    json_schema: Annotated[
        str | None,
        Field(min_length=2),
        Param(
            maps_to=EngineArg("sampling", "guided_decoding.json"),
            examples=('{"type": "object"}',),
            example_context=_GUIDE,
        ),
    ] = None
    """JSON schema, as text."""

    regex: Annotated[
        str | None,
        Field(min_length=1),
        Param(conflicts_with=_GUIDES[:1], examples=("[a-z ]+",), example_context=_GUIDE),
    ] = None
    """Regular expression."""

    grammar: Annotated[
        str | None,
        Field(min_length=1),
        Param(conflicts_with=_GUIDES[:2], examples=('root ::= "a"',), example_context=_GUIDE),
    ] = None
    """Grammar in extended Backus-Naur form."""

    json_object: Annotated[
        bool | None,
        Param(
            conflicts_with=_GUIDES[:3],
            neutral=(False,),
            examples=(True,),
            example_context=_GUIDE,
        ),
    ] = None
    """Any JSON object."""

    structural_tag: Annotated[
        str | None,
        Field(min_length=1),
        Param(
            conflicts_with=_GUIDES,
            requires={"trt.guided_decoding_backend": "xgrammar"},
            examples=("{}",),
        ),
    ] = None
    """Structural tag of xgrammar."""


class Sampling(Section, feeds="sampling"):
    """Beam search, penalties and constraints of every request."""

    beam_width: Annotated[
        int | None,
        Field(ge=1, le=1024),
        AfterValidator(lambda width: None if width == 1 else width),
        Param(
            unit="beams",
            maps_to=EngineArg("sampling", "best_of"),
            affects=EngineArg("sampling", "use_beam_search"),
            requires={"decoder.temperature": (None, 0)},
            examples=(4,),
            example_context=_WIDE,
        ),
    ] = None
    """Beams of beam search, of which the best is the output; 1 is no beam search."""

    beam_search_diversity_rate: Annotated[
        float | None,
        Field(ge=0),
        Param(unit="1", neutral=(0,), examples=(0.5,), requires=_BEAMS, example_context=_WIDE),
    ] = None
    """Strength with which beams of one parent are pushed apart."""

    length_penalty: Annotated[
        float | None,
        Field(ge=-10, le=10),
        Param(unit="1", neutral=(0,), examples=(1.0,), requires=_BEAMS, example_context=_WIDE),
    ] = None
    """Exponent of the length by which a beam's score is divided."""

    early_stopping: Annotated[
        int | None,
        Field(ge=0, le=2),
        Param(unit="1", neutral=(1,), examples=(0,), requires=_BEAMS, example_context=_WIDE),
    ] = None
    """End of beam search: 1 ends with as many finished beams as the width, 0 with the best
    attainable score, 2 with the best possible score."""

    presence_penalty: Annotated[Penalty | None, Param(unit="1", neutral=(0,), examples=(0.5,))] = (
        None
    )
    """Lowers the logits of tokens that occurred."""

    frequency_penalty: Annotated[Penalty | None, Param(unit="1", neutral=(0,), examples=(0.5,))] = (
        None
    )
    """Lowers the logits of tokens by how often they occurred."""

    no_repeat_ngram_size: Annotated[
        int | None,
        Field(ge=0),
        AfterValidator(lambda number: number or None),
        Param(unit="tokens", examples=(3,)),
    ] = None
    """Length from which no sequence of tokens may occur twice; unset and 0 allow it."""

    top_p_decay: Annotated[
        float | None,
        Field(gt=0, le=1),
        Param(unit="ratio", neutral=(1,), examples=(0.9,), requires=_TOP_P, example_context=_WARM),
    ] = None
    """Factor by which top-p shrinks at each token."""

    top_p_min: Annotated[
        float | None,
        Field(gt=0, le=1),
        Param(
            unit="ratio", neutral=(1e-6,), examples=(0.1,), requires=_TOP_P, example_context=_WARM
        ),
    ] = None
    """Lower bound of the shrinking top-p."""

    top_p_reset_ids: Annotated[
        int | None,
        Field(ge=0),
        Param(
            unit="token id", neutral=(1,), examples=(13,), requires=_TOP_P, example_context=_WARM
        ),
    ] = None
    """Token after which top-p starts again from its full value."""

    bad: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...] | None,
        Param(neutral=((),), examples=(("nope",),)),
    ] = None
    """Texts that must not be generated."""

    bad_token_ids: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...] | None,
        Param(unit="token id", neutral=((),), examples=((13,),)),
    ] = None
    """Tokens that must not be generated."""

    logprobs: Annotated[int | None, Field(ge=0, le=1024), Param(unit="tokens", examples=(1,))] = (
        None
    )
    """Number of likeliest tokens whose probabilities are returned at each output position."""

    prompt_logprobs: Annotated[
        int | None, Field(ge=0, le=1024), Param(unit="tokens", examples=(1,))
    ] = None
    """Number of likeliest tokens whose probabilities are returned at each prompt position."""

    detokenize: Annotated[bool | None, Param(examples=(True, False))] = None
    """Whether the engine turns outputs into text inside the window; unset is false, because llem
    counts tokens."""

    return_perf_metrics: Annotated[
        bool | None,
        Param(examples=(False,), example_context={"trt.kv_cache.enable_block_reuse": False}),
    ] = None
    """Whether the engine returns each request's times, reused blocks and accepted drafts; unset is
    true. Without them llem has no time to first token."""

    guided_decoding: Annotated[
        GuidedDecoding | None,
        Param(
            requires={"trt.guided_decoding_backend": IS_SET},
            examples=({"json_object": True},),
            example_context=_GUIDE,
        ),
    ] = None
    """Constraint of the outputs."""
