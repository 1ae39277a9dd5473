"""Latency over all requests of all measured repetitions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from llem.api.outcome import Latency
from llem.api.session import RequestResult, RunResult
from llem.measure.statistics import quantiles


def latency(runs: Sequence[RunResult]) -> Latency:
    """Return time to first token, inter-token latency and end-to-end latency.

    All count from the moment a request was handed to the engine: a request that waits for an
    earlier static batch does not wait *in* the engine. Where one request has no token times,
    the token latencies are unavailable as a whole, since a selection would be biased.
    """
    requests = [request for run in runs for request in run.requests]
    e2e = quantiles([request.finished_s - request.submitted_s for request in requests])
    timed = [request.token_times_s for request in requests]
    first = [
        ready_s - request.submitted_s
        for request in requests
        if (ready_s := first_token_s(request)) is not None
    ]
    if len(first) < len(requests):
        reason = "the engine does not tell when single tokens were ready"
        return Latency(ttft_s=None, itl_s=None, e2e_s=e2e, unavailable=reason)
    if not all(timed):
        reason = "the engine tells when the first token was ready, and of no other"
        return Latency(ttft_s=quantiles(first), itl_s=None, e2e_s=e2e, unavailable=reason)
    gaps = [after - before for times in timed if times for before, after in pairwise(times)]
    return Latency(
        ttft_s=quantiles(first),
        itl_s=quantiles(gaps) if gaps else None,
        e2e_s=e2e,
        unavailable=None if gaps else "no request has two tokens",
    )


def first_token_s(request: RequestResult) -> float | None:
    """Return when the first token was available, if the engine told."""
    return request.token_times_s[0] if request.token_times_s else request.first_token_s
