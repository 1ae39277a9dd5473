"""Which requests are computed together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.schema.base import EngineArg, Param
from llem.schema.experiment import BackendConfig
from llem_pytorch.config.continuous import ContinuousBatching

STATIC = {"pytorch.batching": (None, "static")}
"""What fields of static batches need."""


class Batching(BackendConfig):
    """Static batches in one order or another, or continuous batching."""

    batching: Annotated[
        Literal["static", "continuous"] | None,
        Param(
            maps_to=(
                EngineArg("settings", "batching"),
                EngineArg("generate", "continuous_batching_config"),
            ),
            examples=("static", "continuous"),
        ),
    ] = None
    """`static` (or unset) runs `generate()` batch by batch, each until its last request has ended;
    `continuous` runs the scheduler of `generate_batch()`, which fills a free place at once."""

    batch_size: Annotated[
        int | None,
        Field(ge=1, le=65_536),
        Param(
            unit="requests",
            maps_to=(EngineArg("settings", "batch_size"),),
            requires=STATIC,
            examples=(1, 8, 32),
        ),
    ] = None
    """Requests per static batch; 1 if unset."""

    batch_order: Annotated[
        Literal["workload", "length"] | None,
        Param(
            maps_to=(EngineArg("settings", "batch_order"),),
            requires=STATIC,
            examples=("workload", "length"),
        ),
    ] = None
    """Order in which requests fill the batches: that of the workload (as when unset), or sorted by
    prompt and output length, so that rows of one batch need less padding."""

    continuous_batching: Annotated[
        ContinuousBatching | None,
        Param(
            maps_to=(EngineArg("generate", "continuous_batching_config"),),
            requires={"pytorch.batching": "continuous"},
            examples=({"scheduler_type": "prefill_first"},),
        ),
    ] = None
    """Settings of the continuous batching scheduler and its paged cache."""
