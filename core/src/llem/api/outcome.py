"""The outcome document: what was measured for one experiment.

SI units throughout, named in the keys. A figure that was not measured is ``null``, never 0.
Every figure covers the same windows: all measured repetitions together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from llem.api.config.base import FrozenModel
from llem.api.meter import Provenance
from llem.api.study_place import StudyPlace

NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class Reason(FrozenModel):
    """Why an outcome is not valid, or what to know about it."""

    code: str
    """Stable identifier, documented under `docs/reference/verdict.md`."""
    message: str
    """What was seen, with figures."""


class Verdict(FrozenModel):
    """Whether the figures may be used."""

    valid: bool
    """True when no reason speaks against using them."""
    reasons: tuple[Reason, ...] = ()
    """Everything that speaks against using them."""


class Failure(FrozenModel):
    """How a failed experiment ended."""

    code: str
    """The error's stable code."""
    phase: str
    """Phase in which it happened, such as `open` or `run`."""
    message: str
    """What happened."""
    hint: str = ""
    """What to do about it."""
    error_type: str = ""
    """Exception class in the worker."""
    traceback: str = ""
    """The worker's traceback."""


class Environment(FrozenModel):
    """Where it was measured."""

    llem_version: str
    """Version of llem in the host process."""
    started_at: str
    """Wall-clock start, ISO 8601 in UTC."""
    system: str
    """Operating system."""
    cpu: str
    """Processor name."""
    logical_cores: Count
    """Processors the run could use."""
    memory_bytes: Count
    """Physical memory."""
    gpus: tuple[dict[str, Any], ...] = ()
    """Visible GPUs: uuid, name, memory."""
    devices: tuple[str, ...] = ()
    """Devices the engine used."""
    python: str | None = None
    """Python version of the worker."""
    engine: str | None = None
    """Engine that ran."""
    engine_version: str | None = None
    """Its version."""
    versions: dict[str, str] = {}
    """Distributions in the worker that matter to the result."""
    variables: dict[str, str] = {}
    """Environment variables that matter to the result; secrets are never among them."""


class WorkloadFacts(FrozenModel):
    """What was asked of the model, per repetition."""

    requests: Count
    """Requests per repetition."""
    input_ids_sha256: str
    """Hash of every request's token ids and output limit, in order."""
    truncated_requests: Count = 0
    """Prompts cut to `max_input_tokens`."""
    ignore_eos: bool
    """Whether output lengths were forced."""


class Tokens(FrozenModel):
    """Token counts over all measured repetitions."""

    input_tokens: Count
    """Prompt tokens, padding not included."""
    output_tokens: Count
    """Generated tokens up to and including each request's first EOS."""
    padding_tokens: Count
    """Positions computed as padding of prompts or as filler after EOS."""
    padding_input_tokens: Count
    """The part of the padding that filled prompts."""
    padding_output_tokens: Count
    """The part of the padding generated for requests that had ended."""


class Spread(FrozenModel):
    """A figure's statistics over repetitions."""

    mean: float
    """Arithmetic mean."""
    std: NonNegative | None
    """Sample standard deviation; null for a single repetition."""
    ci95_low: float | None
    """Lower end of the 95 % t-interval of the mean."""
    ci95_high: float | None
    """Upper end of the 95 % t-interval of the mean."""
    n: Count
    """Number of repetitions."""


class Repetition(FrozenModel):
    """One measured repetition."""

    started_s: float
    """Start of its window on the monotonic clock."""
    duration_s: NonNegative
    """Length of its window."""
    input_tokens: Count
    """Prompt tokens."""
    output_tokens: Count
    """Generated tokens."""
    output_tokens_per_s: NonNegative
    """Generated tokens per second of its window."""
    gross_j: float | None
    """Energy in its window."""


class Timing(FrozenModel):
    """Where the time went."""

    spawn_s: NonNegative | None = None
    """Starting the worker's interpreter."""
    load_s: NonNegative | None = None
    """Importing the engine and loading the model."""
    prepare_s: NonNegative | None = None
    """Batching, outside every window."""
    warmup_s: NonNegative | None = None
    """All warm-up repetitions."""
    warmup_repetitions: Count = 0
    """Number of warm-up repetitions."""
    duration_s: NonNegative | None = None
    """Total length of the measured windows."""
    repetitions: tuple[Repetition, ...] = ()
    """The measured repetitions, in order."""
    ended_by: Literal["precision", "max-duration", "max-repetitions"] | None = None
    """Why there were no more repetitions: all that was asked for was reached, or a cap was."""
    precision_of: Literal["j_per_output_token", "duration"] | None = None
    """What the precision is of: energy where it is measured, else a repetition's duration."""
    precision_ratio: NonNegative | None = None
    """Half the 95 % interval of its mean as a share of it; null where it is not known."""
    total_s: NonNegative | None = None
    """The whole experiment, idle time and start-up included."""


class Throughput(FrozenModel):
    """Work per second of window."""

    output_tokens_per_s: NonNegative
    """Generated tokens per second."""
    total_tokens_per_s: NonNegative
    """Prompt and generated tokens per second, padding not included."""
    requests_per_s: NonNegative
    """Finished requests per second."""
    output_tokens_per_s_spread: Spread
    """Statistics of output tokens per second over repetitions."""


class Quantiles(FrozenModel):
    """A latency over all requests (or tokens) of all measured repetitions, in seconds."""

    p50: NonNegative
    """Median."""
    p90: NonNegative
    """90th percentile."""
    p95: NonNegative
    """95th percentile."""
    p99: NonNegative
    """99th percentile."""
    mean: NonNegative
    """Arithmetic mean."""


class Latency(FrozenModel):
    """Per-request latency, from the moment a request was handed to the engine."""

    ttft_s: Quantiles | None
    """Time to first token."""
    itl_s: Quantiles | None
    """Inter-token latency: gaps between successive tokens of one request."""
    e2e_s: Quantiles
    """Time to the last token."""
    unavailable: str | None = None
    """Why token times are missing, if they are."""


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
    """Under which conditions a device worked in the windows, looked at about once a second."""

    device: str
    """Device id."""
    looks: Count
    """How often it was looked at."""
    temperature_first_c: float | None
    """Temperature at the first look."""
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
    """Share of the looks at which heat or a hardware limit held the clocks down."""
    power_capped_ratio: float | None
    """Share of the looks at which the power limit held them down."""
    throttled_by: tuple[str, ...] = ()
    """What held them down."""
    foreign_processes: tuple[int, ...] = ()
    """Processes that computed on it and do not belong to the run."""
    partitioned: bool | None = None
    """Whether it is split into instances (MIG), whose energy cannot be told apart."""


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
    devices: tuple[DeviceEnergy, ...] = ()
    """One row per device and domain."""
    conditions: tuple[DeviceConditions, ...] = ()
    """One row per device that tells more than energy."""


class Compute(FrozenModel):
    """Arithmetic of the measured work."""

    flops: NonNegative | None
    """Floating-point operations for all counted tokens, from the model's dimensions."""
    flops_per_s: NonNegative | None
    """Operations per second of window."""
    mfu_ratio: NonNegative | None
    """Operations per second over the devices' stated peak; null where no peak is known."""
    note: str = ""
    """Why a figure is missing, or where the peak comes from."""


class Memory(FrozenModel):
    """Peak memory and what fills it."""

    host_peak_rss_bytes: Count | None
    """Greatest resident memory of the worker process."""
    device_peak_bytes: Count | None
    """Greatest device memory in use by the engine."""
    weights_bytes: Count | None
    """The model's weights."""
    kv_cache_bytes_per_token: Count | None
    """Key/value cache of one token, from the model's dimensions."""
    other: dict[str, int] = {}
    """Further figures of the engine, by name."""


class SelfCost(FrozenModel):
    """What measuring itself cost."""

    cpu_s: NonNegative
    """Processor time of llem's own process inside the windows."""
    cpu_ratio: NonNegative | None
    """That time per second of window: 0.01 is one per cent of one core."""


class Outcome(FrozenModel):
    """What was measured for one experiment."""

    schema_version: Literal[2] = 2
    """Version of this document; older ones can be read, newer ones are refused."""
    id: str
    """Name of the outcome's folder."""
    experiment_sha256: str
    """Hash of the validated experiment."""
    study: StudyPlace | None = None
    """Where it stands in its study, if it belongs to one."""
    status: Literal["done", "failed", "out-of-memory", "interrupted"]
    """How it ended."""
    verdict: Verdict
    """Whether the figures may be used."""
    failure: Failure | None = None
    """How it failed, if it did."""
    warnings: tuple[Reason, ...] = ()
    """Worth knowing, without making the outcome invalid."""
    experiment: dict[str, Any]
    """The validated experiment."""
    plan: dict[str, Any]
    """The engine calls that were made."""
    effective: dict[str, Any] = {}
    """Values really in force, by `<call>.<argument>`."""
    environment: Environment
    """Where it was measured."""
    model: dict[str, Any] | None = None
    """Facts about the loaded model."""
    workload: WorkloadFacts | None = None
    """What was asked."""
    tokens: Tokens | None = None
    """Token counts."""
    timing: Timing = Timing()
    """Where the time went."""
    throughput: Throughput | None = None
    """Work per second."""
    latency: Latency | None = None
    """Per-request latency."""
    energy: Energy | None = None
    """Energy."""
    compute: Compute | None = None
    """Arithmetic."""
    memory: Memory | None = None
    """Memory."""
    counters: dict[str, float] = {}
    """Engine counters summed over all measured repetitions."""
    self_cost: SelfCost | None = None
    """Cost of measuring."""
    log_tail: str = ""
    """Last lines of the worker's log."""
