"""The outcome documents: of an experiment, and of a command that `llem meter` ran.

SI units throughout, named in the keys. A figure that was not measured is ``null``, never 0.
Every figure covers the same windows: all measured repetitions together.
"""

from __future__ import annotations

from typing import Any, Literal

from llem.schema.base import Count, FrozenModel, NonNegative
from llem.schema.energy import CommandPower, CommandWindow, Energy


class Imported(FrozenModel):
    """Figures of another tool, read from its file; llem measured none of them."""

    provenance: Literal["imported"] = "imported"
    """How the figures came about."""
    tool: str
    """Name of the tool."""
    tool_version: str | None
    """Its version; null if the file does not state it."""
    format: str
    """Format of the file."""
    file: str
    """Name of the file; `imported.json` or `imported.txt` beside this document is a copy."""
    file_sha256: str
    """Hash of that copy."""
    metrics: dict[str, float]
    """Value by name, in SI units; a metric that the file does not contain is absent."""
    repetitions: dict[str, tuple[float, ...]] = {}
    """Values of single repetitions, where the file holds them."""
    energy_boundary: str | None = None
    """What the energy covers and where it comes from; null where there is no energy."""


WorkerOrigin = Literal["fresh", "preforked", "reused"]


class RunPosition(FrozenModel):
    """Position of a run in its study."""

    name: str
    """Name of the study."""
    run_id: str
    """Id of the run: the hash of call plan, workload and runner, and the repeat if several."""
    repeat: Count
    """Number of the run among the runs of its experiment, from 0."""
    block: Count
    """Number of the pass over all experiments, from 0."""
    position: Count
    """Position in the order of the study, from 0."""
    points: tuple[dict[str, Any], ...]
    """Varied parameters, for each point of the study that is this experiment."""
    worker: WorkerOrigin = "fresh"
    """Origin of the worker: started for this run, or reused from the run before with its model.
    Outcomes of an earlier edition may say `preforked`."""


class Reason(FrozenModel):
    """Why an outcome is not valid, or a remark on it."""

    code: str
    """Stable identifier, documented under `docs/reference/verdict.md`."""
    message: str
    """The finding, with figures."""


class Verdict(FrozenModel):
    """Whether the figures may be used."""

    valid: bool
    """True if no reason invalidates them."""
    reasons: tuple[Reason, ...] = ()
    """Every reason that invalidates them."""


class Failure(FrozenModel):
    """How a failed experiment ended."""

    code: str
    """The error's stable code."""
    phase: str
    """Phase of the failure, such as `open` or `run`."""
    message: str
    """What happened."""
    hint: str = ""
    """What to do about it."""
    error_type: str = ""
    """Class of the exception in the worker."""
    traceback: str = ""
    """The worker's traceback."""


class Environment(FrozenModel):
    """Machine, engine and versions of the measurement."""

    llem_version: str
    """Version of llem in the host process."""
    started_at: str
    """Wall-clock start, ISO 8601 in UTC."""
    system: str
    """Operating system."""
    cpu: str
    """Processor name."""
    logical_cores: Count | None
    """Processors available to the run; null where an imported result does not state it."""
    memory_bytes: Count | None
    """Physical memory; null where an imported result does not state it."""
    gpus: tuple[dict[str, Any], ...] = ()
    """Visible GPUs: uuid, name, memory."""
    devices: tuple[str, ...] = ()
    """Devices that the engine used."""
    python: str | None = None
    """Python version of the worker."""
    engine: str | None = None
    """Name of the engine."""
    engine_version: str | None = None
    """Its version."""
    versions: dict[str, str] = {}
    """Versions of the worker's distributions that affect the result."""
    variables: dict[str, str] = {}
    """Environment variables that affect the result; secrets are never among them."""


class WorkloadInfo(FrozenModel):
    """The requests of a repetition."""

    requests: Count
    """Requests per repetition."""
    input_ids_sha256: str
    """Hash of the token ids and output limits of all requests, in order."""
    truncated_requests: Count = 0
    """Prompts that were cut to `max_input_tokens`."""
    own_lengths: Count = 0
    """Requests whose output length their row of the source states."""
    chat_template: str | None = None
    """Where the chat template came from; `null` if no prompt went through one."""
    template_time: str | None = None
    """Local time that the chat template saw; `null` if it does not read the time."""
    ignore_eos: bool
    """Whether output lengths were forced."""


class Tokens(FrozenModel):
    """Token counts over all measured repetitions."""

    input_tokens: Count
    """Prompt tokens, without padding."""
    output_tokens: Count
    """Generated tokens up to and including each request's first EOS."""
    padding_tokens: Count
    """Positions computed as padding of prompts or as filler after EOS."""
    padding_input_tokens: Count
    """Padding of prompts."""
    padding_output_tokens: Count
    """Padding generated for requests that had ended."""


class Spread(FrozenModel):
    """Statistics of a figure over repetitions."""

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
    """A measured repetition."""

    start_monotonic_s: float
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
    """Durations of the phases, and how repetition ended."""

    worker_start_s: NonNegative | None = None
    """Time to start the worker's interpreter."""
    load_s: NonNegative | None = None
    """Time to import the engine and load the model."""
    prepare_s: NonNegative | None = None
    """Time to batch the prompts and move them to the device."""
    warmup_s: NonNegative | None = None
    """Duration of all warm-up repetitions."""
    warmup_repetitions: Count = 0
    """Number of warm-up repetitions."""
    duration_s: NonNegative | None = None
    """Total length of the measured windows."""
    repetitions: tuple[Repetition, ...] = ()
    """The measured repetitions, in order."""
    stop_reason: Literal["precision", "max-duration", "max-repetitions"] | None = None
    """Why repetition ended: the target precision was reached, or a cap."""
    ci_metric: Literal["j_per_output_token", "duration"] | None = None
    """Figure of `ci_ratio`: energy per token if measured, else a repetition's duration."""
    ci_ratio: NonNegative | None = None
    """Half the 95 % interval of that figure's mean, as a share of the mean; null if unknown."""
    total_s: NonNegative | None = None
    """Duration of the whole experiment, idle time and start included."""


class Throughput(FrozenModel):
    """Work per second of window time."""

    output_tokens_per_s: NonNegative
    """Generated tokens per second."""
    total_tokens_per_s: NonNegative
    """Prompt and generated tokens per second, without padding."""
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
    """Latency of requests, from their submission to the engine."""

    ttft_s: Quantiles | None
    """Time to first token."""
    itl_s: Quantiles | None
    """Inter-token latency: time between successive tokens of a request."""
    e2e_s: Quantiles
    """Time to the last token."""
    unavailable: str | None = None
    """Why token latencies are unavailable, if they are."""


class Compute(FrozenModel):
    """Arithmetic of the measured work."""

    flops: NonNegative | None
    """Floating-point operations for all counted tokens, token by token through the cache."""
    flops_per_s: NonNegative | None
    """Operations per second of window time."""
    mfu_ratio: NonNegative | None
    """Operations per second without the surplus, as a share of the devices' stated peak; null
    without a known peak."""
    method: Literal["analytic", "counted"] | None = None
    """Origin of the operations: a formula, or a count on the model's own class."""
    surplus_flops: NonNegative | None = None
    """Share of the operations that a better implementation saves: cached values computed again, and
    experts computed in vain."""
    note: str = ""
    """Why a figure is missing, or what is special about it."""


class Memory(FrozenModel):
    """Peak memory, weights and cache."""

    host_peak_rss_bytes: Count | None
    """Peak resident memory of the worker and its children after loading and first use."""
    host_load_peak_rss_bytes: Count | None = None
    """Their peak while loading; for a kept worker, in the run that loaded the model."""
    device_peak_bytes: Count | None
    """Peak device memory that the engine used."""
    weights_bytes: Count | None
    """Size of the model's weights."""
    kv_cache_bytes_per_token: Count | None
    """Size of the key/value cache at the requests' ends, per token: what a full window no longer
    holds is left out."""
    other: dict[str, int] = {}
    """Other figures of the engine, by name."""


class Overhead(FrozenModel):
    """Cost of measuring."""

    cpu_s: NonNegative
    """Processor time of llem's own process inside the windows."""
    cpu_ratio: NonNegative | None
    """That time per second of window: 0.01 is 1 % of a core."""


class Outcome(FrozenModel):
    """The measurement of an experiment."""

    schema_version: Literal[3] = 3
    """Version of this document; llem reads older versions and refuses newer ones."""
    id: str
    """Name of the outcome's folder."""
    experiment_sha256: str
    """Hash of the validated experiment."""
    study: RunPosition | None = None
    """Position in its study, if the run belongs to a study."""
    status: Literal["done", "failed", "out-of-memory", "interrupted"]
    """How the run ended."""
    verdict: Verdict
    """Whether the figures may be used."""
    failure: Failure | None = None
    """How the run failed, if it failed."""
    imported: Imported | None = None
    """Figures of another tool, for an imported result; llem then measured nothing."""
    warnings: tuple[Reason, ...] = ()
    """Remarks that do not invalidate the outcome."""
    experiment: dict[str, Any]
    """The validated experiment."""
    plan: dict[str, Any]
    """The engine calls."""
    effective: dict[str, Any] = {}
    """Values in force in the engine, by `<call>.<argument>`."""
    environment: Environment
    """Machine, engine and versions."""
    model: dict[str, Any] | None = None
    """Facts about the loaded model."""
    workload: WorkloadInfo | None = None
    """Requests of a repetition."""
    tokens: Tokens | None = None
    """Token counts."""
    timing: Timing = Timing()
    """Durations."""
    throughput: Throughput | None = None
    """Work per second."""
    latency: Latency | None = None
    """Latency of requests."""
    energy: Energy | None = None
    """Energy."""
    compute: Compute | None = None
    """Arithmetic."""
    memory: Memory | None = None
    """Memory."""
    counters: dict[str, float] = {}
    """Counters of the engine, summed over all measured repetitions."""
    overhead: Overhead | None = None
    """Cost of measuring."""
    log_tail: str = ""
    """Last lines of the worker's log."""

    def __repr__(self) -> str:
        """Return a line: a whole outcome is too long for a notebook's cell."""
        valid = "valid" if self.verdict.valid else "not valid"
        return f"<Outcome {self.id}: {self.status}, {valid}>"

    __str__ = __repr__


class CommandOutcome(FrozenModel):
    """The measurement of a command."""

    schema_version: Literal[2] = 2
    """Version of this document."""
    llem_version: str
    """Version of llem."""
    started_at: str
    """Wall-clock start, ISO 8601 in UTC."""
    command: tuple[str, ...]
    """The command and its arguments; secrets are never among them."""
    exit_code: int
    """The command's exit code, or 128 plus the number of the signal that ended it."""
    verdict: Verdict
    """Whether the figures may be used."""
    warnings: tuple[Reason, ...] = ()
    """Remarks that do not invalidate the figures."""
    window: CommandWindow
    """Start and end of the command."""
    energy: Energy
    """Energy in the window; figures per token and per request are null."""
    power: CommandPower
    """Power in the window."""
    overhead: Overhead
    """Cost of measuring."""
