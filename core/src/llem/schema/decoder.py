"""Decoding parameters shared by all backends."""

from __future__ import annotations

from collections.abc import Collection
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from llem.schema.base import FrozenModel, Param

PRESETS = MappingProxyType(
    {
        "deterministic": {"do_sample": False, "temperature": 0.0},
        "standard": {"do_sample": True, "temperature": 1.0, "top_p": 0.95, "top_k": 50},
        "creative": {"do_sample": True, "temperature": 1.2, "top_p": 0.98, "top_k": 100},
        "factual": {"do_sample": True, "temperature": 0.3, "top_p": 0.9, "top_k": 20},
    }
)
"""Values that each preset fills in."""

NEUTRAL_SAMPLING = MappingProxyType({"temperature": 1.0, "top_p": 1.0, "top_k": 0})
"""What every engine is told of a sampling field that is not set. Engines' own defaults differ, and
a checkpoint may bring others still; `min_p` and `typical_p` are off everywhere unless set."""

SAMPLING_FIELDS = ("temperature", "top_p", "top_k", "min_p", "typical_p")
"""Fields that act on sampling alone."""

_WHEN_SAMPLING = {"decoder.temperature": 0.7}


class DecoderConfig(FrozenModel):
    """How tokens are chosen. The default is greedy, because engines' own defaults differ."""

    preset: Annotated[
        Literal["deterministic", "standard", "creative", "factual"] | None,
        Param(examples=("deterministic", "standard")),
    ] = None
    """Sets the fields that the config leaves out; any key in the config wins, `null` included."""

    do_sample: Annotated[
        bool | None,
        Param(
            neutral=(False,),
            examples=(True, False),
            example_context={"decoder.temperature": None},
        ),
    ] = None
    """Whether to sample; unset samples exactly when `temperature` is above 0."""

    temperature: Annotated[
        float | None, Field(ge=0, le=2), Param(unit="1", examples=(0.0, 0.7))
    ] = 0.0
    """Divides the logits before sampling; 0 is greedy, unset is 1 where `do_sample` is true."""

    top_p: Annotated[
        float | None,
        Field(ge=0, le=1),
        Param(unit="ratio", neutral=(1,), examples=(0.9,), example_context=_WHEN_SAMPLING),
    ] = None
    """Sample from the fewest tokens whose probabilities add up to this share; at least one."""

    top_k: Annotated[
        int | None,
        Field(ge=-1),
        AfterValidator(lambda number: 0 if number == -1 else number),
        Param(unit="tokens", neutral=(0,), examples=(50,), example_context=_WHEN_SAMPLING),
    ] = None
    """Sample from this many likeliest tokens; 0 and -1 switch the limit off."""

    min_p: Annotated[
        float | None,
        Field(ge=0, le=1),
        Param(unit="ratio", neutral=(0,), examples=(0.05,), example_context=_WHEN_SAMPLING),
    ] = None
    """Drop tokens less likely than this share of the likeliest one."""

    typical_p: Annotated[
        float | None,
        Field(gt=0, le=1),
        Param(unit="ratio", neutral=(1,), examples=(0.95,), example_context=_WHEN_SAMPLING),
    ] = None
    """Sample from tokens whose information is typical, up to this share of probability."""

    repetition_penalty: Annotated[
        float | None, Field(gt=0), Param(unit="1", neutral=(1,), examples=(1.1,))
    ] = None
    """Divides the logits of tokens already seen; 1 is no penalty."""

    min_new_tokens: Annotated[
        int | None, Field(ge=0), Param(unit="tokens", neutral=(0,), examples=(16,))
    ] = None
    """EOS is not allowed before this many output tokens; 0 allows it from the first one."""

    max_new_tokens: Annotated[int | None, Field(ge=1), Param(unit="tokens", examples=(256,))] = None
    """Upper bound on every request's output, on top of `workload.output_tokens`."""

    stop: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...] | None,
        Param(neutral=((),), examples=(("END",),)),
    ] = None
    """Texts that end a request once generated."""

    seed: Annotated[
        int, Field(ge=0, lt=2**32), Param(unit="1", examples=(1,), example_context=_WHEN_SAMPLING)
    ] = 0
    """Seed of sampling and of random weights; the same before every repetition."""

    ignore_eos: bool | None = None
    """Whether to continue after EOS up to the length limit; unset means yes for synthetic
    workloads, whose output length is given, and no otherwise."""

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        for name, value in PRESETS[self.preset].items() if self.preset else ():
            if name not in self.model_fields_set:
                # Past the freeze, which is for everyone who gets the finished object.
                self.__dict__[name] = value
        return self

    @property
    def samples(self) -> bool:
        """Whether decoding samples; never left to engine or checkpoint."""
        return (self.temperature or 0) > 0 if self.do_sample is None else self.do_sample

    def sampling(self, supported: Collection[str]) -> dict[str, float]:
        """Return the sampling parameters, by name; none where decoding is greedy.

        Those that are not set have the neutral value, whatever the checkpoint's
        `generation_config` says.

        Args:
            supported: Names of those that the engine has. A config may set others to a value that
                switches them off.
        """
        if not self.samples:
            return {}
        values = {name: getattr(self, name) for name in SAMPLING_FIELDS}
        given = {name: value for name, value in values.items() if value is not None}
        found = {**NEUTRAL_SAMPLING, **given}
        return {name: value for name, value in found.items() if name in supported}
