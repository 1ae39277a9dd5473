"""What speaks against an outcome, as far as the run itself can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llem.api.outcome import Reason
from llem.api.plan import Construct, Symbol
from llem.run.record import Record


def reasons_of(record: Record) -> list[Reason]:
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
        found += differences(requested(record), record.observation.effective)
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


def requested(record: Record) -> dict[str, Any]:
    """Return what the plan asks for by ``<call>.<argument>``, as far as it is plain data."""
    values = {f"settings.{name}": value for name, value in record.plan.settings.items()}
    for call in record.plan.calls:
        for name, value in call.kwargs.items():
            if not isinstance(value, Construct):
                values[f"{call.name}.{name}"] = value.path if isinstance(value, Symbol) else value
    return values


def differences(wanted: Mapping[str, Any], effective: Mapping[str, Any]) -> Iterator[Reason]:
    """Yield a reason for every value that was asked for and is not what was in force."""
    for name, value in wanted.items():
        if name in effective and value != "auto" and effective[name] != value:
            message = f"{name} was asked to be {value!r} and was {effective[name]!r}"
            yield Reason(code="effective-differs", message=message)
