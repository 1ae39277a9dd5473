"""A file that an external meter writes, or once wrote."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api.config.base import FrozenModel, Param


class TraceConfig(FrozenModel):
    """Where the readings of an external meter (wall meter, PDU, BMC) are, for the meter `trace`.

    The file is CSV with a header, or JSON lines if its name ends in `.jsonl`. Each row has a time,
    `time_s` in seconds or `time` in ISO 8601, and one of `power_w`, `average_power_w` and
    `energy_j`; it may have `device` and `domain`. Rows that are appended later are read too.
    """

    file: Annotated[str, Field(min_length=1), Param(examples=("wall.csv",))]
    """The file."""

    clock: Literal["monotonic", "wall", "replay"] = "wall"
    """Clock of the times: this machine's monotonic one, Unix or ISO time, or `replay`: the first
    row is taken to be read when metering begins."""

    offset_s: Annotated[float, Field(ge=-86_400, le=86_400), Param(unit="s")] = 0.0
    """Added to each time, to make up for a clock that differs from this machine's."""

    columns: dict[str, str] = {}
    """The file's own names for columns, such as `{time: Timestamp, power_w: Watts}`."""

    device: str = "host:trace"
    """Device that rows without one belong to; it counts as part of this machine if its name
    begins with `host` or `cpu`, and as an accelerator that an engine must name otherwise."""

    domain: str = "wall"
    """Domain that rows without one belong to."""

    update_period_s: Annotated[float | None, Field(gt=0, le=3600), Param(unit="s")] = None
    """How often the external meter renews its reading, if known."""

    resolution: Annotated[float | None, Field(ge=0), Param(unit="W or J")] = None
    """Smallest step of a reading, if known."""

    gain_error_ratio: Annotated[float | None, Field(ge=0, le=1)] = None
    """Standard relative error that the external meter states, if it does."""

    wraps_at_j: Annotated[float | None, Field(gt=0), Param(unit="J")] = None
    """Value at which an energy counter starts again from 0, if it does."""
