"""Build the outcome document from the state of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from llem.api.session import RunResult
from llem.config.load import digest
from llem.config.redact import redact
from llem.energy.compute_energy import Work, compute_energy
from llem.energy.energy_rows import IdlePeriods, energy_rows
from llem.energy.precision import Precision, precision, shortcomings
from llem.energy.reasons import conditions
from llem.energy.statistics import latency, rate_spread
from llem.errors import counted, shown, were
from llem.run.host_info import relevant_variables
from llem.run.metering import foreign_processes, load_reasons
from llem.run.run_state import RunState
from llem.run.stated_peaks import fastest_flops, peak_flops
from llem.schema.call_plan import differences
from llem.schema.outcome import (
    Compute,
    Environment,
    Memory,
    Outcome,
    Overhead,
    Reason,
    Repetition,
    RunPosition,
    Throughput,
    Timing,
    Tokens,
    WorkloadInfo,
)
from llem.schema.reason_codes import decide_verdict
from llem.version import __version__
from llem.workload.build_workload import broken_promises


def reasons_of(state: RunState) -> list[Reason]:
    """Return every reason that follows from ``state``, except those of energy and precision."""
    found = list(state.reasons)
    if state.failure is not None:
        found.append(Reason(code=state.failure.code, message=state.failure.message))
    if state.interrupted:
        message = f"stopped by the user during {state.phase}"
        found.append(Reason(code="interrupted", message=message))
    if state.opened is not None and state.opened.simulated:
        message = "no engine ran: these figures are made up"
        found.append(Reason(code="simulated-engine", message=message))
    if state.workload is not None and state.workload.truncated_requests:
        cut = state.workload.truncated_requests
        message = f"{counted(cut, 'prompt')} {were(cut)} cut"
        found.append(Reason(code="truncated-prompts", message=message))
    if state.runs:
        measurement = state.experiment.measurement
        if not state.warmup_stable and measurement.warmup.max_repetitions > 0:
            number = len(state.warmup_s)
            message = f"{counted(number, 'warm-up repetition')} {were(number)} not stable"
            found.append(Reason(code="warmup-not-converged", message=message))
    if state.workload is not None and state.runs:
        decoder, exact = state.experiment.decoder, state.experiment.ignores_eos
        for message in broken_promises(
            state.workload.requests, state.runs, exact=exact, least=decoder.min_new_tokens or 0
        ):
            found.append(Reason(code="workload-not-done", message=message))
    if state.observation is not None:
        found += _not_in_force(state.plan.requested(), state.observation.effective)
        for code, message in state.observation.reasons.items():
            found.append(Reason(code=code, message=message))
    return found


def beyond_roofline(flops_per_s: float | None, peaks: Sequence[float | None]) -> Iterator[Reason]:
    """Yield a reason if the arithmetic exceeds what the devices can do in any format.

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
        message = f"{name} was asked to be {shown(wanted)} and was {shown(found)}"
        yield Reason(code="effective-differs", message=message)


def build_outcome(
    state: RunState, *, id: str, log_tail: str, position: RunPosition | None = None
) -> Outcome:
    """Return the outcome of a run, complete or not, without secrets.

    Args:
        state: The run.
        id: Name of the outcome's folder.
        log_tail: Last lines of the worker's log.
        position: The run's position in its study; the state says where the worker came from.
    """
    figures = _figures(state) if state.runs else {"timing": _timing(state, ())}
    found = [*reasons_of(state), *figures.pop("reasons", [])]
    verdict, warnings = decide_verdict(found, state.experiment.measurement.thresholds.allow)
    parts = {
        "id": id,
        "experiment_sha256": digest(state.experiment),
        "study": position.model_copy(update={"worker": state.worker}) if position else None,
        "status": state.status,
        "verdict": verdict,
        "failure": state.failure,
        "warnings": [*state.warnings, *warnings],
        "experiment": state.experiment,
        "plan": state.plan.to_json(),
        "effective": state.observation.effective if state.observation else {},
        "environment": _environment(state),
        "model": state.opened.model.to_json() if state.opened else None,
        "workload": _workload(state),
        "memory": _memory(state),
        "log_tail": log_tail,
        **figures,
    }
    return Outcome.model_validate(redact(to_jsonable_python(parts)))


def _figures(state: RunState) -> dict[str, Any]:
    """Return every part that follows from the measured repetitions, all over the same windows."""
    runs, windows = state.runs, state.windows
    duration_s = sum(end - start for start, end in windows)
    tokens = _tokens(state)
    requests = [len(run.by_request) for run in runs]
    rows = energy_rows(state.series, windows, _idle_periods(state))
    foreign = foreign_processes(state.device_states, state.own_processes, _worker_start_s(state))
    energy, reasons = compute_energy(
        rows,
        Work(
            output_tokens=state.output_tokens,
            requests=requests,
            input_tokens=tokens.input_tokens,
            runs=runs,
        ),
        conditions(state.device_states, windows, foreign),
        state.experiment.measurement.thresholds,
    )
    repetitions = _repetitions(state, rows.window_j)
    reached = precision(rows, state.output_tokens)
    reasons += shortcomings(windows, reached, state.experiment.measurement)
    reasons += load_reasons(state.loads, rows.counted, state.experiment.measurement.thresholds)
    compute = _compute(state, duration_s)
    needed = None if compute.flops is None else compute.flops - (compute.surplus_flops or 0)
    needed_per_s = None if needed is None else needed / duration_s
    reasons += beyond_roofline(needed_per_s, [fastest_flops(name) for name in _gpus(state)])
    return {
        "reasons": list(reasons),
        "tokens": tokens,
        "timing": _timing(state, repetitions, reached),
        "throughput": Throughput(
            output_tokens_per_s=tokens.output_tokens / duration_s,
            total_tokens_per_s=(tokens.input_tokens + tokens.output_tokens) / duration_s,
            requests_per_s=sum(requests) / duration_s,
            output_tokens_per_s_spread=rate_spread(
                [repetition.output_tokens for repetition in repetitions],
                [repetition.duration_s for repetition in repetitions],
            ),
        ),
        "latency": latency(runs),
        "energy": energy,
        "compute": compute,
        "counters": _counters(runs),
        "overhead": Overhead(cpu_s=state.cpu_s, cpu_ratio=state.cpu_s / duration_s),
    }


def _idle_periods(state: RunState) -> IdlePeriods:
    return IdlePeriods(
        bare=state.kept_idle or state.spans.get("bare idle"),
        loaded=state.spans.get("loaded idle"),
        after=state.spans.get("after idle"),
        basis=state.experiment.measurement.baseline.subtract,
    )


def _prompt_tokens(state: RunState) -> int:
    assert state.workload is not None
    return sum(len(request.prompt_ids) for request in state.workload.requests)


def _output_tokens(run: RunResult) -> int:
    return sum(len(request.output_ids) for request in run.requests)


def _tokens(state: RunState) -> Tokens:
    padding_input = sum(run.padding_input_tokens for run in state.runs)
    padding_output = sum(run.padding_output_tokens for run in state.runs)
    return Tokens(
        input_tokens=_prompt_tokens(state) * len(state.runs),
        output_tokens=sum(map(_output_tokens, state.runs)),
        padding_tokens=padding_input + padding_output,
        padding_input_tokens=padding_input,
        padding_output_tokens=padding_output,
    )


def _repetitions(state: RunState, window_j: Sequence[float | None]) -> tuple[Repetition, ...]:
    input_tokens = _prompt_tokens(state)
    return tuple(
        Repetition(
            start_monotonic_s=run.started_s,
            duration_s=run.finished_s - run.started_s,
            input_tokens=input_tokens,
            output_tokens=_output_tokens(run),
            output_tokens_per_s=_output_tokens(run) / (run.finished_s - run.started_s),
            gross_j=gross_j,
        )
        for run, gross_j in zip(state.runs, window_j, strict=True)
    )


def _worker_start_s(state: RunState) -> float:
    span = state.spans.get("start")
    return span[0] if span else state.started_s


def _timing(
    state: RunState, repetitions: tuple[Repetition, ...], reached: Precision | None = None
) -> Timing:
    known = reached is not None and math.isfinite(reached.half_width_ratio)
    return Timing(
        worker_start_s=state.duration_s("start"),
        load_s=state.duration_s("open"),
        prepare_s=state.duration_s("prepare"),
        warmup_s=sum(state.warmup_s) if state.warmup_s else None,
        warmup_repetitions=len(state.warmup_s),
        duration_s=sum(each.duration_s for each in repetitions) if repetitions else None,
        repetitions=repetitions,
        stop_reason=state.ended_by,
        ci_metric=reached.of if reached else None,
        ci_ratio=reached.half_width_ratio if reached and known else None,
        total_s=time.monotonic() - state.started_s,
    )


def _compute(state: RunState, duration_s: float) -> Compute:
    assert state.opened is not None
    model = state.opened.model
    if model.arithmetic is None:
        note = model.arithmetic_note or "the backend does not tell the model's arithmetic"
        return Compute(flops=None, flops_per_s=None, mfu_ratio=None, note=note)
    lengths = _lengths(state)
    flops = sum(model.arithmetic.flops(*each) for each in lengths)
    surplus = sum(model.arithmetic.surplus(*each) for each in lengths)
    peaks = [
        peak_flops(name, model.dtype, tf32=model.tf32) if name and model.dtype else None
        for name in _gpus(state)
    ]
    known = [peak for peak in peaks if peak is not None]
    peak = sum(known) if known and len(known) == len(peaks) else None
    notes = [model.arithmetic_note, "" if peak else "no stated peak is known for the devices used"]
    return Compute(
        flops=flops,
        flops_per_s=flops / duration_s,
        mfu_ratio=(flops - surplus) / duration_s / peak if peak else None,
        method=model.arithmetic.method,
        surplus_flops=surplus,
        note="; ".join(filter(None, notes)),
    )


def _lengths(state: RunState) -> list[tuple[int, int]]:
    """Return prompt and output tokens of each measured request."""
    if state.workload is None:
        return []
    prompts = {request.index: len(request.prompt_ids) for request in state.workload.requests}
    return [
        (prompts[request.index], len(request.output_ids))
        for run in state.runs
        for request in run.requests
    ]


def _gpus(state: RunState) -> list[str]:
    """Return the product name of each device that the engine used; empty if it is no GPU."""
    assert state.opened is not None
    names = {gpu.uuid: gpu.name for gpu in state.host.gpus}
    return [names.get(device.partition(":")[2], "") for device in state.opened.devices]


def _counters(runs: Sequence[RunResult]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for run in runs:
        for name, value in run.counters.items():
            totals[name] = totals.get(name, 0.0) + value
    return totals


def _memory(state: RunState) -> Memory | None:
    if state.observation is None or state.opened is None:
        return None
    model, memory = state.opened.model, dict(state.observation.memory)
    return Memory(
        host_peak_rss_bytes=memory.pop("host_peak_rss_bytes", None),
        host_load_peak_rss_bytes=memory.pop("host_load_peak_rss_bytes", None),
        device_peak_bytes=memory.pop("device_peak_bytes", None),
        weights_bytes=model.weights_bytes,
        kv_cache_bytes_per_token=_kv_bytes_per_token(state),
        other=memory,
    )


def _kv_bytes_per_token(state: RunState) -> int | None:
    """Return the cache that the requests need at their ends, by the tokens in front of the last."""
    assert state.opened is not None
    assert state.observation is not None
    model, per_value = state.opened.model, state.observation.kv_bytes_per_value
    if model.arithmetic is None or per_value == "unknown":
        return None
    if per_value == "model":
        per_value = 4 if model.dtype == "float32" else 2
    elements: float = model.arithmetic.kv_elements_per_token
    ends = [prompt + output - 1 for prompt, output in _lengths(state) if output]
    if ends:
        elements = sum(map(model.arithmetic.kv_elements, ends)) / sum(ends)
    return round(elements * per_value)


def _workload(state: RunState) -> WorkloadInfo | None:
    if state.workload is None:
        return None
    return WorkloadInfo(
        requests=len(state.workload.requests),
        input_ids_sha256=state.workload.input_ids_sha256,
        truncated_requests=state.workload.truncated_requests,
        own_lengths=state.workload.own_lengths,
        chat_template=state.workload.chat_template,
        template_time=state.workload.template_time,
        ignore_eos=state.experiment.ignores_eos,
    )


def _environment(state: RunState) -> Environment:
    host, opened = state.host, state.opened
    return Environment(
        llem_version=__version__,
        started_at=state.started_at,
        system=host.system,
        cpu=host.cpu,
        logical_cores=host.logical_cores,
        memory_bytes=host.memory_bytes,
        gpus=tuple(
            {"uuid": gpu.uuid, "name": gpu.name, "memory_bytes": gpu.memory_bytes}
            for gpu in host.gpus
        ),
        devices=tuple(opened.devices) if opened else (),
        python=state.python,
        engine=opened.engine if opened else None,
        engine_version=opened.engine_version if opened else None,
        versions=state.versions,
        variables=relevant_variables(state.variables, state.experiment.runner.env),
    )
