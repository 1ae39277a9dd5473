"""The `study` section: how the points of a study become runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.schema.base import FrozenModel, Param
from llem.schema.measurement import Seconds

Order = Literal["sequential", "interleaved", "shuffled", "latin-square"]


class ThermalConfig(FrozenModel):
    """Start a run only when the device is cool, or has been given time to cool down."""

    below_celsius: Annotated[float, Field(gt=-50, le=150), Param(unit="°C")]
    """Start when the hottest sensor of the devices shows less."""

    at_most_s: Seconds = 300.0
    """Start after this time however hot it still is; the journal then says so."""


class FailureConfig(FrozenModel):
    """What a study does about runs that fail."""

    stop_after: Annotated[int | None, Field(ge=1, le=1_000_000), Param(unit="runs")] = 3
    """Failures in a row after which the study pauses and probes; null never stops it."""

    probe_after_s: Seconds = 60.0
    """The pause. The run after it is the probe: if it fails too, the study stops."""

    prune: tuple[str, ...] = ()
    """Swept fields of which a greater value needs more memory: where a run is out of memory,
    points that differ only by a greater value of such a field are left out."""


class StudySettings(FrozenModel):
    """How the points of a study are run."""

    name: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = None
    """Name of the study and of its folder; unset takes the file's name."""

    repeats: Annotated[int, Field(ge=1, le=10_000), Param(unit="runs")] = 1
    """How often every experiment is run."""

    order: Order = "sequential"
    """`sequential` ends all repeats of one experiment first; `interleaved` makes passes over
    all experiments; `shuffled` shuffles each pass; `latin-square` is a Williams design, in
    which every experiment follows every other equally often."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the shuffling."""

    gap_s: Seconds = 0.0
    """Pause before each run but the first, to cool down."""

    block_gap_s: Seconds = 0.0
    """Pause before each pass over all experiments but the first, instead of `gap_s`."""

    thermal: ThermalConfig | None = None
    """Condition under which a run may start."""

    reuse: Literal["none", "model"] = "none"
    """`model` keeps the worker while runs in a row load the same model in the same way."""

    prefork: bool = False
    """Fork each worker from a process that has the engine imported, where that is safe: no device
    opened and no thread running."""

    failures: FailureConfig = FailureConfig()
    """What is done about failures."""
