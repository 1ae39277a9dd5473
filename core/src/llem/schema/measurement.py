"""How it is measured: meters, windows, warm-up, baselines, precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llem.schema.base import FrozenModel, Param

Ratio = Annotated[float, Field(ge=0, le=1)]


class ThresholdsConfig(FrozenModel):
    """Thresholds beyond which an outcome is flagged."""

    removed: ClassVar[Mapping[str, str]] = {"accept": "write `allow`"}

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

    allow: tuple[str, ...] = ()
    """Reason codes that stay warnings, such as `throttled` in a study of throttling."""


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


Seconds = Annotated[float, Field(ge=0, le=86_400), Param(unit="s")]


class WarmupConfig(FrozenModel):
    """Repetitions of the measured workload before the first window, until they are stable."""

    strategy: Literal["variation", "trend", "fixed"] = "variation"
    """When the workload counts as warm: `variation`, once the coefficient of variation of the last
    three durations is small; `trend`, once the last six show no trend; `fixed`, always after
    `min_repetitions`."""

    min_repetitions: Annotated[int, Field(ge=0, le=1000), Param(unit="repetitions")] = 2
    """Warm-up repetitions that are always made."""

    max_repetitions: Annotated[int, Field(ge=0, le=1000), Param(unit="repetitions")] = 20
    """Warm-up ends here even when it is not stable; the verdict then says so."""

    max_duration_s: Seconds = 120.0
    """Warm-up ends after this time even when it is not stable."""

    stable_within_ratio: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Greatest coefficient of variation, or greatest change by a trend, that counts as stable."""


class BaselineConfig(FrozenModel):
    """Idle power, measured before loading, after it, and after the last repetition."""

    bare_s: Seconds = 3.0
    """Idle time metered before the worker starts; 0 skips it."""

    loaded_s: Seconds = 3.0
    """Idle time metered with the model in memory; 0 skips it."""

    after_s: Seconds = 1.0
    """Idle time metered after the last repetition; 0 skips it."""

    reuse_s: Seconds = 0.0
    """Greatest age at which a study uses an earlier run's bare idle power again; 0 meters it in
    every run. It is checked for a second, and metered anew if the machine idles otherwise."""

    subtract: Literal["bare", "loaded"] = "bare"
    """Which idle power is subtracted for net energy."""


class MeasurementConfig(FrozenModel):
    """How long, how precisely and with what the workload is measured."""

    removed: ClassVar[Mapping[str, str]] = {"limits": "write `thresholds`"}

    meters: Literal["auto"] | tuple[str, ...] = "auto"
    """Meters to use; `auto` takes every one that works here, an estimate only as a last resort."""

    sample_period_s: Annotated[float | None, Field(ge=0.01, le=10), Param(unit="s")] = None
    """Time between two readings of the meters; unset reads each one twice per update of its own."""

    min_duration_s: Seconds = 10.0
    """Least total length of the measured windows."""

    max_duration_s: Seconds = 120.0
    """No further repetition starts after this much window time."""

    min_repetitions: Annotated[int, Field(ge=1, le=100_000), Param(unit="repetitions")] = 3
    """Least number of measured repetitions; an interval needs two."""

    max_repetitions: Annotated[int, Field(ge=1, le=100_000), Param(unit="repetitions")] = 1000
    """Greatest number of measured repetitions."""

    target_ci_ratio: Annotated[float, Field(gt=0, le=1), Param(examples=(0.02,))] = 0.02
    """Repeat until half the 95 % interval of J per output token is within this share of it; where
    energy is not measured, of a repetition's duration."""

    warmup: WarmupConfig = WarmupConfig()
    """Warm-up before the first window."""

    baseline: BaselineConfig = BaselineConfig()
    """Idle power."""

    thresholds: ThresholdsConfig = ThresholdsConfig()
    """Thresholds beyond which an outcome is flagged."""

    cpu_tdp_w: Annotated[float | None, Field(gt=0, le=10_000), Param(unit="W")] = None
    """Package power under full load, for the CPU estimate; unset assumes a value per core."""

    cpu_idle_w: Annotated[float | None, Field(ge=0, le=10_000), Param(unit="W")] = None
    """Package power when idle, for the CPU estimate; unset assumes a value per core."""

    trace: TraceConfig | None = None
    """The file of the meter `trace`."""
