"""The energy part of an outcome: one row per device and domain, totals, idle power, conditions."""

from __future__ import annotations

from llem.schema.base import Count, FrozenModel, NonNegative
from llem.schema.provenance import Provenance


class DeviceEnergy(FrozenModel):
    """Energy of one domain of one device over all windows."""

    device: str
    """Device id."""
    domain: str
    """Part of the device."""
    meter: str
    """Meter that read it."""
    method: str
    """How readings became energy."""
    provenance: Provenance
    """Measured, estimated or unavailable."""
    gross_j: float | None
    """Energy over the windows."""
    idle_w: float | None
    """Idle power that is subtracted."""
    net_j: float | None
    """Gross less idle power times window time."""
    uncertainty_j: NonNegative | None
    """Standard uncertainty of the gross energy, without that of the sensor's gain."""
    gain_uncertainty_j: NonNegative | None
    """What the sensor's stated gain error adds; it cancels between runs on one device."""
    net_uncertainty_j: NonNegative | None
    """Standard uncertainty of the net energy, that of the idle power included, gain apart."""
    mean_w: float | None
    """Gross energy per second of window."""
    counted_in_total: bool
    """False for a domain that another row already includes."""
    update_period_s: NonNegative | None = None
    """How often the source renewed its value, as its readings show it."""
    missed_readings: Count = 0
    """How often it did not answer within the windows."""
    gap_s: NonNegative = 0.0
    """Window time in stretches without readings that had to be bridged."""
    note: str = ""
    """Model and inputs of an estimate, or a remark."""


class IdlePower(FrozenModel):
    """Idle power over all counted domains."""

    duration_s: NonNegative
    """How long it was metered."""
    power_w: float | None
    """Mean power."""
    standard_error_w: NonNegative | None = None
    """Standard error of that mean."""
    drift_w: float | None = None
    """Mean of the second half less that of the first."""
    age_s: NonNegative = 0.0
    """How long before this run an idle power taken over from another run was metered."""


class DeviceConditions(FrozenModel):
    """Temperature, clocks and limits of a device in the windows, sampled about once a second."""

    device: str
    """Device id."""
    samples: Count
    """Number of samples within the windows, about one a second."""
    temperature_first_c: float | None
    """Temperature in the first sample."""
    temperature_max_c: float | None
    """Greatest temperature."""
    core_clock_mean_hz: float | None
    """Mean clock of the arithmetic units."""
    core_clock_min_hz: float | None
    """Least clock of the arithmetic units."""
    core_clock_max_hz: float | None
    """Greatest clock of the arithmetic units."""
    memory_clock_mean_hz: float | None
    """Mean clock of the memory."""
    power_limit_w: float | None
    """The power limit that was enforced; the least, if it changed."""
    throttled_ratio: float | None
    """Share of the samples in which heat or a hardware limit held the clocks down."""
    power_capped_ratio: float | None
    """Share of the samples in which the power limit held them down."""
    throttled_by: tuple[str, ...] = ()
    """What held them down."""
    foreign_processes: tuple[int, ...] = ()
    """Processes that computed on it and do not belong to the run."""
    partitioned: bool | None = None
    """Whether it is split into instances (MIG), whose energy cannot be told apart."""


class PhaseEnergy(FrozenModel):
    """Gross energy of the time in which all active requests were in the same phase."""

    prefill_s: NonNegative | None
    """Time in which every active request waited for its first token."""
    prefill_j: float | None
    """Its energy."""
    prefill_uncertainty_j: NonNegative | None
    """Standard uncertainty of that, gain apart."""
    j_per_prefill_token: float | None
    """Its energy per input token; unavailable where mixed time served some of them."""
    decode_s: NonNegative | None
    """Time in which every active request was past its first token."""
    decode_j: float | None
    """Its energy."""
    decode_uncertainty_j: NonNegative | None
    """Standard uncertainty of that, gain apart."""
    j_per_decode_token: float | None
    """Its energy per output token made in it; first tokens belong to prefill."""
    mixed_s: NonNegative | None
    """Time with active requests in both phases; its energy belongs to neither."""
    unavailable: str | None = None
    """Why a figure is unavailable."""


class Energy(FrozenModel):
    """Energy over all windows."""

    provenance: Provenance
    """The weakest provenance among the counted rows."""
    gross_j: float | None
    """All counted rows together."""
    idle_j: float | None
    """Idle power times window time."""
    net_j: float | None
    """Gross less idle."""
    uncertainty_j: NonNegative | None
    """Standard uncertainty of the gross energy, without that of the sensors' gain."""
    gain_uncertainty_j: NonNegative | None
    """What the sensors' stated gain errors add; it cancels between runs on the same devices."""
    net_uncertainty_j: NonNegative | None
    """Standard uncertainty of the net energy, that of the idle power included, gain apart."""
    j_per_output_token: float | None
    """Gross joules per output token."""
    uncertainty_j_per_output_token: NonNegative | None
    """Its standard uncertainty from measuring and from the spread over repetitions, gain apart."""
    j_per_request: float | None
    """Gross joules per request."""
    uncertainty_j_per_request: NonNegative | None
    """Its standard uncertainty, likewise."""
    net_j_per_output_token: float | None
    """Net joules per output token."""
    net_j_per_request: float | None
    """Net joules per request."""
    mean_w: float | None
    """Gross joules per second of window."""
    idle_basis: str | None
    """Which idle power was subtracted: bare or loaded."""
    bare_idle: IdlePower | None = None
    """Idle power before the worker was started."""
    loaded_idle: IdlePower | None = None
    """Idle power with the model in memory."""
    after_idle: IdlePower | None = None
    """Idle power after the last repetition, the model still in memory."""
    phases: PhaseEnergy | None = None
    """Prefill and decode apart; none where no requests are measured."""
    devices: tuple[DeviceEnergy, ...] = ()
    """One row per device and domain."""
    conditions: tuple[DeviceConditions, ...] = ()
    """One row per device that tells more than energy."""
