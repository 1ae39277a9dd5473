"""Decoding parameters beyond the shared decoder section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, BackendConfig, EngineArg, Param, Section


class Sampling(Section, feeds="sampling"):
    """Further parameters of each request (`SamplingParams` of vLLM)."""

    presence_penalty: Annotated[
        float | None, Field(ge=-2, le=2), Param(unit="1", neutral=(0,), examples=(0.5,))
    ] = None
    """Subtracted from the logits of tokens that were generated before."""

    frequency_penalty: Annotated[
        float | None, Field(ge=-2, le=2), Param(unit="1", neutral=(0,), examples=(0.5,))
    ] = None
    """Subtracted from the logits of tokens once for each time they were generated."""

    stop_token_ids: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...] | None, Param(neutral=((),), examples=((2,),))
    ] = None
    """Token ids that end a request."""

    logprobs: Annotated[int | None, Field(ge=0), Param(unit="tokens", examples=(5,))] = None
    """Number of log-probabilities to return for each output token."""

    prompt_logprobs: Annotated[int | None, Field(ge=0), Param(unit="tokens", examples=(1,))] = None
    """Number of log-probabilities to return for each prompt token; this turns prefix caching off
    for the request."""

    detokenize: Annotated[bool | None, Param(neutral=(True,), examples=(False,))] = None
    """Whether the engine turns output ids into text inside the window; unset is true."""

    skip_reading_prefix_cache: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether requests recompute prompts that are in the prefix cache."""


class BeamSearch(Section, feeds="sampling"):
    """Beam search (`BeamSearchParams` of vLLM), built from one engine step per token."""

    beam_width: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="beams",
            maps_to=EngineArg("sampling", "beam_width"),
            # Beam search is a function of its own, with parameters of its own.
            affects=(EngineArg("sampling"), EngineArg("generate")),
            example_context={"vllm.beam_search.length_penalty": 1.0},
            examples=(4,),
        ),
    ] = None
    """Number of beams."""

    length_penalty: Annotated[
        float | None,
        Field(ge=-10, le=10),
        Param(
            unit="1",
            requires={"vllm.beam_search.beam_width": IS_SET},
            neutral=(1,),
            examples=(0.8,),
        ),
    ] = None
    """Exponent of the length by which scores are divided."""

    concurrency_limit: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="requests",
            maps_to=EngineArg("generate", "concurrency_limit"),
            requires={"vllm.beam_search.beam_width": IS_SET},
            examples=(8,),
        ),
    ] = None
    """Number of requests in beam search at a time; unset is all."""


class DecodingFields(BackendConfig, feeds="load"):
    """Fields of decoding."""

    sampling: Annotated[
        Sampling | None, Param(requires={"vllm.beam_search.beam_width": (None,)})
    ] = None
    """Further parameters of each request."""

    beam_search: BeamSearch | None = None
    """Beam search instead of sampling; unset turns it off."""

    max_logprobs: Annotated[int | None, Field(ge=1), Param(unit="tokens", examples=(40,))] = None
    """Maximum number of log-probabilities that a request may request; beam search needs two for
    each beam."""

    logprobs_mode: Annotated[
        Literal["raw_logits", "raw_logprobs", "processed_logits", "processed_logprobs"] | None,
        Param(examples=("processed_logprobs",)),
    ] = None
    """Values that are returned as log-probabilities."""

    @property
    def searches(self) -> bool:
        """Whether beam search replaces sampling."""
        return self.beam_search is not None and self.beam_search.beam_width is not None
