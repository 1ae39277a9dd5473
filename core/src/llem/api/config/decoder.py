"""Decoding parameters shared by all backends."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from llem.api.config.base import FrozenModel, Param


class DecoderConfig(FrozenModel):
    """How tokens are chosen. The default is greedy, because engines' own defaults differ."""

    do_sample: bool | None = None
    """Whether to sample; unset samples exactly when `temperature` is above 0."""

    temperature: Annotated[float | None, Field(ge=0, le=2), Param(examples=(0.0, 0.7))] = 0.0
    """Divides the logits before sampling; 0 is greedy, unset leaves it to the engine."""

    top_p: Annotated[float | None, Field(gt=0, le=1), Param(examples=(0.9,))] = None
    """Sample from the fewest tokens whose probabilities add up to this share."""

    top_k: Annotated[int | None, Field(ge=0), Param(unit="tokens", examples=(50,))] = None
    """Sample from this many likeliest tokens; 0 switches the limit off."""

    min_p: Annotated[float | None, Field(ge=0, le=1), Param(examples=(0.05,))] = None
    """Drop tokens less likely than this share of the likeliest one."""

    typical_p: Annotated[float | None, Field(gt=0, le=1), Param(examples=(0.95,))] = None
    """Sample from tokens whose information is typical, up to this share of probability."""

    repetition_penalty: Annotated[float | None, Field(gt=0), Param(examples=(1.1,))] = None
    """Divides the logits of tokens already seen; 1 is no penalty."""

    min_new_tokens: Annotated[int | None, Field(ge=1), Param(unit="tokens", examples=(16,))] = None
    """EOS is not allowed before this many output tokens."""

    max_new_tokens: Annotated[int | None, Field(ge=1), Param(unit="tokens", examples=(256,))] = None
    """Upper bound on every request's output, on top of `workload.output_tokens`."""

    stop: tuple[Annotated[str, Field(min_length=1)], ...] | None = None
    """Texts that end a request once generated."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of sampling and of random weights; the same before every repetition."""

    ignore_eos: bool | None = None
    """Whether to go on after EOS up to the length limit; unset means yes for synthetic
    workloads, whose output length is part of the question, and no otherwise."""

    @property
    def samples(self) -> bool | None:
        """Whether decoding samples; `None` when it is left to the engine."""
        if self.do_sample is not None:
            return self.do_sample
        return None if self.temperature is None else self.temperature > 0
