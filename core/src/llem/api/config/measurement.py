"""How it is measured: meters, windows, warm-up, baselines, precision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api.config.base import FrozenModel, Param
from llem.api.config.limits import LimitsConfig
from llem.api.config.trace import TraceConfig

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

    limits: LimitsConfig = LimitsConfig()
    """From where on something speaks against an outcome."""

    cpu_tdp_w: Annotated[float | None, Field(gt=0, le=10_000), Param(unit="W")] = None
    """Package power under full load, for the CPU estimate; unset assumes a value per core."""

    cpu_idle_w: Annotated[float | None, Field(ge=0, le=10_000), Param(unit="W")] = None
    """Package power when idle, for the CPU estimate; unset assumes a value per core."""

    trace: TraceConfig | None = None
    """The file of the meter `trace`."""
