"""Config sections with a fault each."""

import os
from typing import Annotated

from mutants.mutation import HOOKS, config
from mutants.parts import SampleConfig, setting
from pydantic import ConfigDict, Field, field_serializer

from llem.schema.base import EngineArg, Param
from llem.schema.experiment import Rule

__all__ = ["HOOKS"]


@config
class config_model(SampleConfig):
    """A field is required."""

    threads: Annotated[
        int, Field(ge=1, le=64), Param(unit="threads", maps_to=(EngineArg("load", "threads"),))
    ]
    """Threads that compute."""


@config
class config_unset(SampleConfig):
    """A field has a default other than the engine's."""

    batch_size: Annotated[
        int | None, Field(ge=1, le=64), setting("batch_size", unit="requests")
    ] = 8
    """Requests that are computed together."""


@config
class config_frozen(SampleConfig):
    """Its values can be changed."""

    model_config = ConfigDict(frozen=False)


@config
class config_strict(SampleConfig):
    """A mistyped key is dropped."""

    model_config = ConfigDict(extra="ignore")


@config
class config_described(SampleConfig):
    """A field has no description."""

    mystery: Annotated[bool | None, setting("mystery")] = None


@config
class config_bounded(SampleConfig):
    """A number has no bounds."""

    rows: Annotated[int | None, setting("rows", unit="rows", examples=(1,))] = None
    """Rows that are computed together."""


@config
class config_units(SampleConfig):
    """A number has no unit."""

    depth: Annotated[int | None, Field(ge=1, le=9), setting("depth")] = None
    """Depth of the search."""


@config
class config_markers(SampleConfig):
    """A field needs a field that does not exist."""

    fast: Annotated[bool | None, setting("fast", requires={"sample.thread": 2})] = None
    """Whether it hurries."""


@config
class config_rules(SampleConfig):
    """A rule has no hint."""

    rules = (
        Rule(
            "sample-never",
            ("sample.threads",),
            "it never works",
            "No way",
            lambda experiment, section: False,
        ),
    )


@config
class config_schema(SampleConfig):
    """It has no JSON schema."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["no such key"])


@config
class config_examples(SampleConfig):
    """A field has no values to try."""

    label: Annotated[str | None, setting("label")] = None
    """A name for the log."""


@config
class config_neutral(SampleConfig):
    """Its bounds leave out the value that switches a field off."""

    limit: Annotated[
        int | None, Field(ge=1, le=9), setting("limit", unit="tokens", neutral=(0,))
    ] = None
    """Tokens that it may look at; 0 is no limit."""


@config
class config_round_trip(SampleConfig):
    """A value is written as another value."""

    @field_serializer("batch_size", when_used="json-unless-none")
    def _next(self, value):
        return value % 64 + 1


@config
def config_pure():
    """The environment decides what a config may be."""
    os.environ.get("SAMPLE_MOST")
    return SampleConfig
