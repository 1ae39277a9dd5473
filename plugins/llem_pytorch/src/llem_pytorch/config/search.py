"""Several sequences per request: beams and returned alternatives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, Param

STATIC = {"pytorch.batching": (None, "static")}
BEAMS = {"pytorch.num_beams": 4}
"""What an example of a field that acts on beams alone is combined with."""


class Search(BackendConfig, feeds="generate"):
    """Beam search, and how many sequences a request gets."""

    num_beams: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(unit="beams", requires=STATIC, neutral=(1,), examples=(1, 4)),
    ] = None
    """Sequences followed for each request; 1 is no beam search."""

    early_stopping: Annotated[
        Literal["never"] | bool | None,
        Param(
            example_context=BEAMS,
            neutral=(False,),
            examples=(True, "never"),
            ignored_when="there are no beams",
        ),
    ] = None
    """Whether a request ends with its first complete beams; `never` waits until no better one can
    come, `false` is a heuristic in between."""

    length_penalty: Annotated[
        float | None,
        Field(ge=-100, le=100),
        Param(
            unit="exponent",
            example_context=BEAMS,
            neutral=(1,),
            examples=(1.0, 0.8),
            ignored_when="there are no beams",
        ),
    ] = None
    """Power of its length by which a beam's score is divided; above 0 favors longer ones."""

    num_return_sequences: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(unit="sequences", example_context=BEAMS, examples=(1, 2)),
    ] = None
    """Sequences returned for each request; the tokens of all of them count as output."""

    @property
    def has_beams(self) -> bool:
        """Whether several beams are followed."""
        return (self.num_beams or 1) > 1
