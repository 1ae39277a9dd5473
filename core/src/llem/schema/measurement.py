"""How to measure: meters, windows, warm-up, baselines, precision."""

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
    """`throttled` where a device's clocks were reduced for more of the window time."""

    max_clock_spread_ratio: Ratio = 0.1
    """`clock-unstable` where a device's core clock varied by more, as a share of its mean."""

    max_temperature_rise_c: Annotated[float, Field(ge=0, le=200), Param(unit="°C")] = 10.0
    """`temperature-unstable` where a device warmed up by more within the windows."""

    max_idle_drift_ratio: Ratio = 0.05
    """`idle-drift` where idle power changed by more, as a share of the mean power under load."""

    max_meter_difference_ratio: Ratio = 0.05
    """`meter-disagreement` where two meters of one domain, or two sources of one meter, differ by
    more."""

    max_power_limit_ratio: Annotated[float, Field(ge=1, le=100)] = 1.1
    """`beyond-power-limit` where a domain's mean power exceeds this many times its limit."""

    max_foreign_load_ratio: Ratio = 0.05
    """`foreign-load` where other programs used more of the processors' time, in the windows or
    while the machine idled."""

    allow: tuple[str, ...] = ()
    """Reason codes that stay warnings, such as `throttled` in a study of throttling."""


TraceColumn = Literal[
    "time_s", "time", "power_w", "average_power_w", "energy_j", "device", "domain"
]


class TraceConfig(FrozenModel):
    """Readings of an external meter (wall meter, PDU, BMC) in a file, for the meter `trace`.

    The file is CSV with a header, or JSON lines if its name ends in `.jsonl`. Each row has a time,
    `time_s` in seconds or `time` in ISO 8601, and one of `power_w`, `average_power_w` and
    `energy_j`; `device` and `domain` are optional. llem also reads rows that are appended later.
    """

    file: Annotated[str, Field(min_length=1), Param(examples=("wall.csv",))]
    """Path of the file."""

    clock: Literal["monotonic", "wall", "replay"] = "wall"
    """Clock of the times: this machine's monotonic clock, Unix or ISO time, or `replay`, which sets
    the first row to the start of metering."""

    offset_s: Annotated[float, Field(ge=-86_400, le=86_400), Param(unit="s")] = 0.0
    """Added to each time, to correct for the difference to this machine's clock."""

    columns: dict[TraceColumn, str] = {}
    """The file's own column names, such as `{time: Timestamp, power_w: Watts}`."""

    device: str = "host:trace"
    """Device of rows that name no device. A name without a colon, or that begins with `host` or
    `cpu`, is part of this machine; another name is an accelerator's, which counts if the engine
    uses it."""

    domain: str = "wall"
    """Domain of rows that name no domain."""

    update_period_s: Annotated[float | None, Field(gt=0, le=3600), Param(unit="s")] = None
    """Update period of the external meter, if known."""

    resolution: Annotated[float | None, Field(ge=0), Param(unit="W or J")] = None
    """Smallest step of a reading, if known."""

    gain_error_ratio: Annotated[float | None, Field(ge=0, le=1)] = None
    """Standard relative error that the external meter states, if any."""

    wraps_at_j: Annotated[float | None, Field(gt=0), Param(unit="J")] = None
    """Value at which an energy counter wraps to 0, if it wraps."""


Seconds = Annotated[float, Field(ge=0, le=86_400), Param(unit="s")]


class WarmupConfig(FrozenModel):
    """Repetitions of the measured workload before the first window, until they are stable."""

    strategy: Literal["variation", "trend", "fixed"] = "variation"
    """When the workload is warm: with `variation`, once the coefficient of variation of the last
    three durations is small; with `trend`, once the last six show no trend; with `fixed`, after
    `min_repetitions`."""

    min_repetitions: Annotated[int, Field(ge=0, le=1000), Param(unit="repetitions")] = 2
    """Minimum number of warm-up repetitions."""

    max_repetitions: Annotated[int, Field(ge=0, le=1000), Param(unit="repetitions")] = 20
    """Maximum number of warm-up repetitions; the verdict says whether they were stable."""

    max_duration_s: Seconds = 120.0
    """Maximum total duration of warm-up."""

    stable_within_ratio: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Maximum coefficient of variation, or greatest change by a trend, of a stable workload."""


class BaselineConfig(FrozenModel):
    """Idle power, measured before loading, after it, and after the last repetition."""

    bare_s: Seconds = 3.0
    """Duration of idle metering before the worker starts; 0 skips it."""

    loaded_s: Seconds = 3.0
    """Duration of idle metering with the model in memory; 0 skips it."""

    after_s: Seconds = 1.0
    """Duration of idle metering after the last repetition; 0 skips it."""

    reuse_s: Seconds = 0.0
    """Maximum age of an earlier run's bare idle power that a study reuses; 0 meters it in every
    run. A check of 1 s decides: if idle power has changed, it is metered again."""

    subtract: Literal["bare", "loaded"] = "bare"
    """The idle power that is subtracted for net energy."""


class MeasurementConfig(FrozenModel):
    """Duration, precision and meters of the measurement."""

    removed: ClassVar[Mapping[str, str]] = {"limits": "write `thresholds`"}

    meters: Literal["auto"] | tuple[str, ...] = "auto"
    """Meters to use; `auto` takes every working meter, an estimate only as a last resort."""

    sample_period_s: Annotated[float | None, Field(ge=0.01, le=10), Param(unit="s")] = None
    """Time between two readings of the meters; unset reads each meter twice per update."""

    min_duration_s: Seconds = 10.0
    """Minimum total duration of the measured windows."""

    max_duration_s: Seconds = 120.0
    """No repetition starts after this much window time."""

    min_repetitions: Annotated[int, Field(ge=1, le=100_000), Param(unit="repetitions")] = 3
    """Minimum number of measured repetitions; a confidence interval needs two."""

    max_repetitions: Annotated[int, Field(ge=1, le=100_000), Param(unit="repetitions")] = 1000
    """Maximum number of measured repetitions."""

    target_ci_ratio: Annotated[float, Field(gt=0, le=1), Param(examples=(0.02,))] = 0.02
    """Repeat until half the 95 % interval of J per output token is within this share of its mean;
    where energy is not measured, of a repetition's duration."""

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
