"""Where a run stands in its study: part of the outcome document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from llem.api.config.base import FrozenModel

WorkerOrigin = Literal["fresh", "preforked", "reused"]

Count = Annotated[int, Field(ge=0)]


class StudyPlace(FrozenModel):
    """Where a run stands in its study."""

    study: str
    """Name of the study."""
    run: str
    """Id of the run; the hash of call plan, workload and runner, and the repeat if several."""
    repeat: Count
    """Which run of the experiment it is, from 0."""
    block: Count
    """Pass over all experiments it belongs to, from 0."""
    position: Count
    """Its place in the order of the study, from 0."""
    points: tuple[dict[str, Any], ...]
    """What tells the experiment apart, for each point of the study that is this experiment."""
    worker: WorkerOrigin = "fresh"
    """Whether the worker was started for this run, forked for it from a process that had the engine
    imported, or kept from the run before with its model."""
