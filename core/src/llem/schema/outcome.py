"""The outcome document: what was measured for one experiment.

SI units throughout, named in the keys. A figure that was not measured is ``null``, never 0.
Every figure covers the same windows: all measured repetitions together.
"""

from __future__ import annotations

from typing import Any, Literal

from llem.schema.base import Count, FrozenModel, NonNegative
from llem.schema.energy import Energy


class Imported(FrozenModel):
    """Figures of another tool, read from its file; llem measured none of them."""

    provenance: Literal["imported"] = "imported"
    """How the figures came about."""
    tool: str
    """What measured them."""
    tool_version: str | None
    """Its version; null if the file does not say."""
    format: str
    """Format of the file."""
    file: str
    """Name of the file; `imported.json` beside this document is a copy of its content."""
    file_sha256: str
    """Hash of that content."""
    metrics: dict[str, float]
    """Value by name, in SI units; a metric that the file does not contain is absent."""
    repetitions: dict[str, tuple[float, ...]] = {}
    """Values of single repetitions, where the file has them."""


WorkerOrigin = Literal["fresh", "preforked", "reused"]


class RunPosition(FrozenModel):
    """Where a run stands in its study."""

    name: str
    """Name of the study."""
    run_id: str
    """Id of the run: the hash of call plan, workload and runner, and the repeat if several."""
    repeat: Count
    """Which run of the experiment it is, from 0."""
    block: Count
    """Pass over all experiments it belongs to, from 0."""
    position: Count
    """Its place in the order of the study, from 0."""
    points: tuple[dict[str, Any], ...]
    """What tells the experiment apart, for each point of the study that is this experiment."""
    worker: WorkerOrigin = "fresh"
    """Whether the worker was started for this run, forked for it from a process that had the engine
    imported, or kept from the run before with its model."""


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
    logical_cores: Count | None
    """Processors the run could use; null for an imported result that does not say."""
    memory_bytes: Count | None
    """Physical memory; null likewise."""
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


class WorkloadInfo(FrozenModel):
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
    """Where the time went."""

    worker_start_s: NonNegative | None = None
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
    stop_reason: Literal["precision", "max-duration", "max-repetitions"] | None = None
    """Why there were no more repetitions: all that was asked for was reached, or a cap was."""
    ci_metric: Literal["j_per_output_token", "duration"] | None = None
    """What the precision is of: energy where it is measured, else a repetition's duration."""
    ci_ratio: NonNegative | None = None
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


class Overhead(FrozenModel):
    """What measuring itself cost."""

    cpu_s: NonNegative
    """Processor time of llem's own process inside the windows."""
    cpu_ratio: NonNegative | None
    """That time per second of window: 0.01 is one per cent of one core."""


class Outcome(FrozenModel):
    """What was measured for one experiment."""

    schema_version: Literal[3] = 3
    """Version of this document; older ones can be read, newer ones are refused."""
    id: str
    """Name of the outcome's folder."""
    experiment_sha256: str
    """Hash of the validated experiment."""
    study: RunPosition | None = None
    """Where it stands in its study, if it belongs to one."""
    status: Literal["done", "failed", "out-of-memory", "interrupted"]
    """How it ended."""
    verdict: Verdict
    """Whether the figures may be used."""
    failure: Failure | None = None
    """How it failed, if it did."""
    imported: Imported | None = None
    """What another tool measured, for an imported result; llem then measured nothing."""
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
    workload: WorkloadInfo | None = None
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
    overhead: Overhead | None = None
    """Cost of measuring."""
    log_tail: str = ""
    """Last lines of the worker's log."""
