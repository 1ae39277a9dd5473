"""The energy part of an outcome: a row per device and domain, totals, idle power, conditions."""

from __future__ import annotations

from llem.schema.base import Count, FrozenModel, NonNegative
from llem.schema.provenance import Provenance


class DeviceEnergy(FrozenModel):
    """Energy of a domain of a device over all windows."""

    device: str
    """Device id."""
    domain: str
    """Part of the device."""
    meter: str
    """Meter that read it."""
    method: str
    """Kind of readings that the energy comes from."""
    provenance: Provenance
    """Whether the energy is measured, estimated or unavailable."""
    gross_j: float | None
    """Energy over the windows."""
    idle_w: float | None
    """Idle power that is subtracted for net energy."""
    net_j: float | None
    """Gross less idle power times window time."""
    uncertainty_j: NonNegative | None
    """Standard uncertainty of the gross energy, without the sensor's gain error."""
    gain_uncertainty_j: NonNegative | None
    """Uncertainty from the sensor's gain error; it cancels between runs on the same device."""
    net_uncertainty_j: NonNegative | None
    """Standard uncertainty of the net energy, with that of the idle power, without gain error."""
    mean_w: float | None
    """Gross energy per second of window."""
    counted_in_total: bool
    """False for a domain whose energy another row already includes."""
    update_period_s: NonNegative | None = None
    """Update period of the source, as its readings show it."""
    missed_readings: Count = 0
    """Number of failed readings within the windows."""
    gap_s: NonNegative = 0.0
    """Window time in stretches without readings, which interpolation bridged."""
    note: str = ""
    """Model and inputs of an estimate, or a remark."""


class IdlePower(FrozenModel):
    """Idle power over all counted domains."""

    duration_s: NonNegative
    """Duration of idle metering."""
    power_w: float | None
    """Mean power."""
    standard_error_w: NonNegative | None = None
    """Standard error of that mean."""
    drift_w: float | None = None
    """Mean of the second half less that of the first."""
    age_s: NonNegative = 0.0
    """Age of an idle power that was metered in an earlier run."""


class DeviceConditions(FrozenModel):
    """Temperature, clocks and limits of a device in the windows, sampled about once a second."""

    device: str
    """Device id."""
    samples: Count
    """Number of samples within the windows, about one a second."""
    temperature_first_c: float | None
    """Temperature in the first sample."""
    temperature_max_c: float | None
    """Highest temperature."""
    core_clock_mean_hz: float | None
    """Mean clock of the arithmetic units."""
    core_clock_min_hz: float | None
    """Lowest clock of the arithmetic units."""
    core_clock_max_hz: float | None
    """Highest clock of the arithmetic units."""
    memory_clock_mean_hz: float | None
    """Mean clock of the memory."""
    power_limit_w: float | None
    """Enforced power limit; the lowest, if it changed."""
    throttled_ratio: float | None
    """Share of the samples in which heat or a hardware limit reduced the clocks."""
    power_capped_ratio: float | None
    """Share of the samples in which the power limit reduced the clocks."""
    throttled_by: tuple[str, ...] = ()
    """Causes of the reduced clocks."""
    foreign_processes: tuple[int, ...] = ()
    """Processes of others that computed on the device."""
    partitioned: bool | None = None
    """Whether the device is split into instances (MIG), which share a single power reading."""


class PhaseEnergy(FrozenModel):
    """Gross energy of the time in which all active requests were in the same phase."""

    prefill_s: NonNegative | None = None
    """Time in which every active request waited for its first token."""
    prefill_j: float | None = None
    """Its energy."""
    prefill_uncertainty_j: NonNegative | None = None
    """Its standard uncertainty, without gain error."""
    j_per_prefill_token: float | None = None
    """Its energy per input token; unavailable where mixed time served some prompts."""
    decode_s: NonNegative | None = None
    """Time in which every active request was past its first token."""
    decode_j: float | None = None
    """Its energy."""
    decode_uncertainty_j: NonNegative | None = None
    """Its standard uncertainty, without gain error."""
    j_per_decode_token: float | None = None
    """Its energy per output token generated in it; first tokens belong to prefill."""
    mixed_s: NonNegative | None = None
    """Time with active requests in both phases; its energy belongs to neither."""
    unavailable: str | None = None
    """Why a figure is unavailable."""


class Energy(FrozenModel):
    """Energy over all windows."""

    provenance: Provenance
    """The weakest provenance among the counted rows."""
    gross_j: float | None
    """Energy of all counted rows."""
    idle_j: float | None
    """Idle power times window time."""
    net_j: float | None
    """Gross less idle."""
    uncertainty_j: NonNegative | None
    """Standard uncertainty of the gross energy, without the sensors' gain errors."""
    gain_uncertainty_j: NonNegative | None
    """Uncertainty from the sensors' gain errors; it cancels between runs on the same devices."""
    net_uncertainty_j: NonNegative | None
    """Standard uncertainty of the net energy, with that of the idle power, without gain error."""
    j_per_output_token: float | None
    """Gross joules per output token."""
    uncertainty_j_per_output_token: NonNegative | None
    """Its standard uncertainty from readings and from the spread over repetitions, without gain."""
    j_per_request: float | None
    """Gross joules per request."""
    uncertainty_j_per_request: NonNegative | None
    """Its standard uncertainty, from the same sources."""
    net_j_per_output_token: float | None
    """Net joules per output token."""
    net_j_per_request: float | None
    """Net joules per request."""
    mean_w: float | None
    """Gross joules per second of window."""
    idle_basis: str | None
    """The idle power that was subtracted: bare or loaded."""
    bare_idle: IdlePower | None = None
    """Idle power before the worker was started."""
    loaded_idle: IdlePower | None = None
    """Idle power with the model in memory."""
    after_idle: IdlePower | None = None
    """Idle power after the last repetition, the model still in memory."""
    phases: PhaseEnergy | None = None
    """Prefill and decode energy; null without requests."""
    devices: tuple[DeviceEnergy, ...] = ()
    """A row per device and domain."""
    conditions: tuple[DeviceConditions, ...] = ()
    """A row per device whose meter reports more than energy."""


class CommandWindow(FrozenModel):
    """The interval from start to end of the command."""

    start_monotonic_s: float
    """Start of the command, on the monotonic clock."""
    end_monotonic_s: float
    """Its end."""
    duration_s: NonNegative
    """Length of the window."""


class CommandPower(FrozenModel):
    """Power over the window, all counted domains together."""

    mean_w: float | None
    """Gross energy per second of the window."""
    peak_w: float | None
    """Highest mean power over any part of the window of length `peak_window_s`."""
    peak_window_s: NonNegative
    """1 s, or the whole window if that is shorter."""
