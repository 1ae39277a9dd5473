"""Which requests are computed together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, EngineArg, Param
from llem_pytorch.config.continuous import ContinuousBatching

STATIC = {"pytorch.batching": (None, "static")}
"""What fields of static batches need."""


class Batching(BackendConfig, feeds="settings"):
    """Static batches in one order or another, or continuous batching."""

    batching: Annotated[
        Literal["static", "continuous"] | None,
        Param(
            maps_to=EngineArg("settings", "batching"),
            affects=EngineArg("generate", "continuous_batching_config"),
            examples=("static", "continuous"),
        ),
    ] = None
    """`static` (or unset) runs `generate()` batch by batch, each until its last request has ended;
    `continuous` runs the scheduler of `generate_batch()`, which fills a free place at once."""

    batch_size: Annotated[
        int | None,
        Field(ge=1, le=65_536),
        Param(unit="requests", requires=STATIC, neutral=(1,), examples=(1, 8, 32)),
    ] = None
    """Requests per static batch; 1 if unset."""

    batch_order: Annotated[
        Literal["workload", "length"] | None,
        Param(requires=STATIC, neutral=("workload",), examples=("workload", "length")),
    ] = None
    """Order in which requests fill the batches: that of the workload (as when unset), or sorted by
    prompt and output length, so that rows of one batch need less padding."""

    continuous_batching: Annotated[
        ContinuousBatching | None,
        Param(
            requires={"pytorch.batching": "continuous"},
            examples=({"scheduler_type": "prefill_first"},),
        ),
    ] = None
    """Settings of the continuous batching scheduler and its paged cache."""

    @property
    def is_continuous(self) -> bool:
        """Whether requests are batched continuously."""
        return self.batching == "continuous"
