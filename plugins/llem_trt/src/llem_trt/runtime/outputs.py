"""Turn the outputs of ``LLM.generate()`` into one result per request, after the window."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import timedelta
from typing import Any

from llem.api import Request, RequestResult
from llem.api.session import FinishReason

CLOCK_TOLERANCE_S = 0.001
"""Tolerance for engine times outside their window, which are rounded to microseconds."""


def results(
    requests: Sequence[Request],
    outputs: Sequence[Any],
    eos_ids: Set[int],
    started_s: float,
    finished_s: float,
) -> list[RequestResult]:
    """Return one result per request.

    Args:
        requests: The requests, in the order they were submitted.
        outputs: A ``RequestOutput`` for each.
        eos_ids: Ids that end a request.
        started_s: When ``generate()`` was called.
        finished_s: When it returned.

    Raises:
        RuntimeError: The engine gave a request up.
    """
    return [
        _result(request, output.outputs[0], eos_ids, started_s, finished_s)
        for request, output in zip(requests, outputs, strict=True)
    ]


def _result(
    request: Request, completion: Any, eos_ids: Set[int], started_s: float, finished_s: float
) -> RequestResult:
    times = _times(completion, started_s, finished_s)
    submitted_s, first_token_s, last_token_s = times or (started_s, None, finished_s)
    return RequestResult(
        index=request.index,
        output_ids=list(completion.token_ids),
        finish_reason=_finish_reason(completion, eos_ids),
        submitted_s=submitted_s,
        finished_s=last_token_s,
        first_token_s=first_token_s,
    )


def _times(
    completion: Any, started_s: float, finished_s: float
) -> tuple[float, float, float] | None:
    """Return the times of arrival, first token and last token; ``None`` where they are unknown.

    They are durations on the engine's steady clock, which on Linux is the clock of
    ``time.monotonic()``. Times outside the window come from another clock and are dropped.
    """
    metrics = completion.request_perf_metrics
    if metrics is None:
        return None
    timing = metrics.timing_metrics
    times = [
        _seconds(time)
        for time in (timing.arrival_time, timing.first_token_time, timing.last_token_time)
    ]
    earliest, latest = started_s - CLOCK_TOLERANCE_S, finished_s + CLOCK_TOLERANCE_S
    if times != sorted(times) or times[0] < earliest or times[-1] > latest:
        return None
    arrival, first, last = times
    return arrival, first, last


def _seconds(duration: timedelta) -> float:
    return duration.total_seconds()


def _finish_reason(completion: Any, eos_ids: Set[int]) -> FinishReason:
    match completion.finish_reason:
        case "length":
            return "length"
        case "stop":
            stop = completion.stop_reason
            return "eos" if stop is None or stop in eos_ids else "stop"
        case other:
            raise RuntimeError(f"TensorRT-LLM ended a request with {other!r}")
