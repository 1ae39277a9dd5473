"""The thresholds behind the verdict's reasons."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from llem.api.config.base import FrozenModel, Param

Ratio = Annotated[float, Field(ge=0, le=1)]


class LimitsConfig(FrozenModel):
    """From where on something speaks against an outcome."""

    min_update_periods: Annotated[float, Field(ge=0, le=1e6), Param(unit="updates")] = 10.0
    """`window-too-short` where the windows hold fewer updates of a meter."""

    max_gap_ratio: Ratio = 0.05
    """`sampling-gap` where more of the window time has no readings."""

    max_throttled_ratio: Ratio = 0.05
    """`throttled` where a device's clocks were held down for more of the window time."""

    max_clock_spread_ratio: Ratio = 0.1
    """`clock-unstable` where a device's core clock varied by more, as a share of its mean."""

    max_temperature_rise_c: Annotated[float, Field(ge=0, le=200), Param(unit="°C")] = 10.0
    """`temperature-unstable` where a device warmed up by more within the windows."""

    max_idle_drift_ratio: Ratio = 0.05
    """`idle-drift` where idle power changed by more, as a share of the mean power under load."""

    max_meter_difference_ratio: Ratio = 0.05
    """`meter-disagreement` where two meters of one domain differ by more."""

    accept: tuple[str, ...] = ()
    """Reason codes that are only noted, such as `throttled` in a study of throttling."""
