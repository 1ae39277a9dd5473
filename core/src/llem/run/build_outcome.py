"""Make the outcome document from the record of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llem import __version__
from llem.api.session import RunResult
from llem.config.load import digest
from llem.config.redact import redact
from llem.energy.compute_energy import Work, compute_energy
from llem.energy.conditions import conditions
from llem.energy.energy_rows import IdlePeriods, energy_rows
from llem.energy.precision import Precision, precision, shortcomings
from llem.energy.statistics import latency, rate_spread
from llem.run.arithmetic import fastest_flops, peak_flops, workload_flops
from llem.run.host_info import relevant_variables
from llem.run.metering import foreign_processes
from llem.run.run_state import RunState
from llem.schema.call_plan import differences
from llem.schema.energy import Energy
from llem.schema.outcome import (
    Compute,
    Environment,
    Memory,
    Outcome,
    Overhead,
    Reason,
    Repetition,
    Throughput,
    Timing,
    Tokens,
    WorkloadInfo,
)
from llem.schema.reason_codes import decide_verdict


def reasons_of(record: RunState) -> list[Reason]:
    """Return everything that is to be said about ``record``, energy and precision apart."""
    found = list(record.reasons)
    if record.failure is not None:
        found.append(Reason(code=record.failure.code, message=record.failure.message))
    if record.interrupted:
        message = f"stopped by the user during {record.phase}"
        found.append(Reason(code="interrupted", message=message))
    if record.opened is not None and record.opened.simulated:
        message = "no engine ran: these figures are made up"
        found.append(Reason(code="simulated-engine", message=message))
    if record.workload is not None and record.workload.truncated_requests:
        message = f"{record.workload.truncated_requests} prompts were cut"
        found.append(Reason(code="truncated-prompts", message=message))
    if record.runs:
        measurement = record.experiment.measurement
        if not record.warmup_stable and measurement.warmup.max_repetitions > 0:
            message = f"{len(record.warmup_s)} warm-up repetitions were not stable"
            found.append(Reason(code="warmup-not-converged", message=message))
    if record.observation is not None:
        found += _not_in_force(record.plan.requested(), record.observation.effective)
        for code, message in record.observation.reasons.items():
            found.append(Reason(code=code, message=message))
    return found


def beyond_roofline(flops_per_s: float | None, peaks: Sequence[float | None]) -> Iterator[Reason]:
    """Yield a reason if more arithmetic was done than the devices can do in any format.

    Args:
        flops_per_s: Operations per second of window; ``None`` if unknown.
        peaks: Greatest stated rate of each device used; ``None`` where none is stated.
    """
    known = [peak for peak in peaks if peak is not None]
    if flops_per_s is None or not known or len(known) < len(peaks):
        return
    if flops_per_s > sum(known):
        message = f"{flops_per_s:.3g} FLOP/s, and the devices do {sum(known):.3g} at most"
        yield Reason(code="beyond-roofline", message=message)


def _not_in_force(requested: Mapping[str, Any], effective: Mapping[str, Any]) -> Iterator[Reason]:
    """Yield a reason for every value that was requested and is not the one in force."""
    for name in differences(requested, effective):
        wanted, found = requested[name], effective[name]
        message = f"{name} was asked to be {wanted!r} and was {found!r}"
        yield Reason(code="effective-differs", message=message)


def build_outcome(record: RunState, *, id: str, log_tail: str) -> Outcome:
    """Return the outcome of ``record``, complete or not."""
    figures = _figures(record) if record.runs else {}
    found = [*reasons_of(record), *figures.pop("reasons", [])]
    verdict, warnings = decide_verdict(found, record.experiment.measurement.thresholds.allow)
    outcome = Outcome(
        id=id,
        experiment_sha256=digest(record.experiment),
        status=record.status,
        verdict=verdict,
        failure=record.failure,
        warnings=(*record.warnings, *warnings),
        experiment=record.experiment.model_dump(mode="json"),
        plan=record.plan.to_json(),
        effective=record.observation.effective if record.observation else {},
        environment=_environment(record),
        model=record.opened.model.to_json() if record.opened else None,
        workload=_workload(record),
        memory=_memory(record),
        log_tail=log_tail,
        **{"timing": _timing(record, ()), **figures},
    )
    return Outcome.model_validate(redact(outcome.model_dump(mode="json")))


def _figures(record: RunState) -> dict[str, Any]:
    """Return every part that follows from the measured repetitions, all over the same windows."""
    runs, windows = record.runs, record.windows
    duration_s = sum(end - start for start, end in windows)
    tokens = _tokens(record)
    requests = sum(len(run.requests) for run in runs)
    rows = energy_rows(record.series, windows, _idle_periods(record))
    foreign = foreign_processes(record.states, record.own_processes, _worker_start_s(record))
    energy, reasons = compute_energy(
        rows,
        Work(
            output_tokens=record.output_tokens,
            requests=[len(run.requests) for run in runs],
            input_tokens=tokens.input_tokens,
            runs=runs,
        ),
        conditions(record.states, windows, foreign),
        record.experiment.measurement.thresholds,
    )
    repetitions = _repetitions(record, rows.window_j)
    reached = precision(rows, record.output_tokens)
    reasons += shortcomings(windows, reached, record.experiment.measurement)
    compute = _compute(record, duration_s, energy)
    reasons += beyond_roofline(compute.flops_per_s, [fastest_flops(name) for name in _gpus(record)])
    return {
        "reasons": list(reasons),
        "tokens": tokens,
        "timing": _timing(record, repetitions, reached),
        "throughput": Throughput(
            output_tokens_per_s=tokens.output_tokens / duration_s,
            total_tokens_per_s=(tokens.input_tokens + tokens.output_tokens) / duration_s,
            requests_per_s=requests / duration_s,
            output_tokens_per_s_spread=rate_spread(
                [one.output_tokens for one in repetitions],
                [one.duration_s for one in repetitions],
            ),
        ),
        "latency": latency(runs),
        "energy": energy,
        "compute": compute,
        "counters": _counters(runs),
        "overhead": Overhead(cpu_s=record.cpu_s, cpu_ratio=record.cpu_s / duration_s),
    }


def _idle_periods(record: RunState) -> IdlePeriods:
    return IdlePeriods(
        bare=record.kept_idle or record.spans.get("bare idle"),
        loaded=record.spans.get("loaded idle"),
        after=record.spans.get("after idle"),
        basis=record.experiment.measurement.baseline.subtract,
    )


def _prompt_tokens(record: RunState) -> int:
    assert record.workload is not None
    return sum(len(request.prompt_ids) for request in record.workload.requests)


def _output_tokens(run: RunResult) -> int:
    return sum(len(request.output_ids) for request in run.requests)


def _tokens(record: RunState) -> Tokens:
    padding_input = sum(run.padding_input_tokens for run in record.runs)
    padding_output = sum(run.padding_output_tokens for run in record.runs)
    return Tokens(
        input_tokens=_prompt_tokens(record) * len(record.runs),
        output_tokens=sum(map(_output_tokens, record.runs)),
        padding_tokens=padding_input + padding_output,
        padding_input_tokens=padding_input,
        padding_output_tokens=padding_output,
    )


def _repetitions(record: RunState, window_j: Sequence[float | None]) -> tuple[Repetition, ...]:
    input_tokens = _prompt_tokens(record)
    return tuple(
        Repetition(
            start_monotonic_s=run.started_s,
            duration_s=run.finished_s - run.started_s,
            input_tokens=input_tokens,
            output_tokens=_output_tokens(run),
            output_tokens_per_s=_output_tokens(run) / (run.finished_s - run.started_s),
            gross_j=gross_j,
        )
        for run, gross_j in zip(record.runs, window_j, strict=True)
    )


def _worker_start_s(record: RunState) -> float:
    span = record.spans.get("start")
    return span[0] if span else record.started_s


def _timing(
    record: RunState, repetitions: tuple[Repetition, ...], reached: Precision | None = None
) -> Timing:
    known = reached is not None and math.isfinite(reached.half_width_ratio)
    return Timing(
        worker_start_s=record.duration_s("start"),
        load_s=record.duration_s("open"),
        prepare_s=record.duration_s("prepare"),
        warmup_s=sum(record.warmup_s) if record.warmup_s else None,
        warmup_repetitions=len(record.warmup_s),
        duration_s=sum(one.duration_s for one in repetitions) if repetitions else None,
        repetitions=repetitions,
        stop_reason=record.ended_by,
        ci_metric=reached.of if reached else None,
        ci_ratio=reached.half_width_ratio if reached and known else None,
        total_s=time.monotonic() - record.started_s,
    )


def _compute(record: RunState, duration_s: float, energy: Energy) -> Compute:
    assert record.opened is not None
    assert record.workload is not None
    model = record.opened.model
    if model.architecture is None:
        note = "llem does not know the arithmetic of this model family"
        return Compute(flops=None, flops_per_s=None, mfu_ratio=None, note=note)
    prompts = {request.index: len(request.prompt_ids) for request in record.workload.requests}
    lengths = [
        (prompts[request.index], len(request.output_ids))
        for run in record.runs
        for request in run.requests
    ]
    flops = workload_flops(model.architecture, lengths)
    dtype = model.dtype
    peaks = [peak_flops(name, dtype) if name and dtype else None for name in _gpus(record)]
    known = [peak for peak in peaks if peak is not None]
    peak = sum(known) if known and len(known) == len(peaks) else None
    return Compute(
        flops=flops,
        flops_per_s=flops / duration_s,
        mfu_ratio=flops / duration_s / peak if peak else None,
        note="" if peak else "no stated peak is known for the devices used",
    )


def _gpus(record: RunState) -> list[str]:
    """Return the product name of each device that the engine used; empty for what is no GPU."""
    assert record.opened is not None
    names = {gpu.uuid: gpu.name for gpu in record.facts.gpus}
    return [names.get(device.partition(":")[2], "") for device in record.opened.devices]


def _counters(runs: Sequence[RunResult]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for run in runs:
        for name, value in run.counters.items():
            totals[name] = totals.get(name, 0.0) + value
    return totals


def _memory(record: RunState) -> Memory | None:
    if record.observation is None or record.opened is None:
        return None
    model, memory = record.opened.model, dict(record.observation.memory)
    architecture = model.architecture
    return Memory(
        host_peak_rss_bytes=memory.pop("host_peak_rss_bytes", None),
        device_peak_bytes=memory.pop("device_peak_bytes", None),
        weights_bytes=model.weights_bytes,
        kv_cache_bytes_per_token=(
            architecture.kv_bytes_per_token(4 if model.dtype == "float32" else 2)
            if architecture
            else None
        ),
        other=memory,
    )


def _workload(record: RunState) -> WorkloadInfo | None:
    if record.workload is None:
        return None
    return WorkloadInfo(
        requests=len(record.workload.requests),
        input_ids_sha256=record.workload.input_ids_sha256,
        truncated_requests=record.workload.truncated_requests,
        ignore_eos=record.experiment.ignores_eos,
    )


def _environment(record: RunState) -> Environment:
    facts, opened = record.facts, record.opened
    return Environment(
        llem_version=__version__,
        started_at=record.started_at,
        system=facts.system,
        cpu=facts.cpu,
        logical_cores=facts.logical_cores,
        memory_bytes=facts.memory_bytes,
        gpus=tuple(
            {"uuid": gpu.uuid, "name": gpu.name, "memory_bytes": gpu.memory_bytes}
            for gpu in facts.gpus
        ),
        devices=tuple(opened.devices) if opened else (),
        python=record.python,
        engine=opened.engine if opened else None,
        engine_version=opened.engine_version if opened else None,
        versions=record.versions,
        variables=relevant_variables(record.variables),
    )
