"""When an engine only read prompts (prefill), and when it only generated (decode).

A request is active from the moment it was handed to the engine until its last token, and reads its
prompt until its first. Where all active requests do the same, the time belongs to that phase. Where
some still wait for their first token while others generate, as under continuous batching, it is
mixed: no meter tells whose energy that is. Time in which no request is active is none of the three.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from llem.api.session import RequestResult, RunResult
from llem.energy.coverage import Floats, Span, as_edges
from llem.energy.statistics import quantiles
from llem.schema.outcome import Latency


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


Phase = Literal["prefill", "decode", "mixed"]


@dataclass(frozen=True, slots=True)
class Phases:
    """The spans of all repetitions in which one phase was alone, disjoint and in order of time.

    Attributes:
        prefill: Every active request waited for its first token.
        decode: Every active request was past its first token.
        mixed: There were active requests of both kinds.
        holds_all_prompts: Whether every request's first token was made in prefill spans alone.
        decode_tokens: Output tokens made in decode spans, first tokens apart; ``None`` where
            the engine does not tell which.
    """

    prefill: tuple[Span, ...]
    decode: tuple[Span, ...]
    mixed: tuple[Span, ...]
    holds_all_prompts: bool
    decode_tokens: int | None

    @property
    def spans(self) -> dict[str, tuple[Span, ...]]:
        """The spans by their phase."""
        return {"prefill": self.prefill, "decode": self.decode, "mixed": self.mixed}


@dataclass(frozen=True, slots=True)
class _Timed:
    """One request within its repetition's window."""

    result: RequestResult
    submitted_s: float
    first_s: float
    finished_s: float


def phases_of(runs: Sequence[RunResult]) -> Phases | None:
    """Return the phases of ``runs``; ``None`` where some request's first token has no time.

    Args:
        runs: Measured repetitions, one after the other.
    """
    requests: list[_Timed] = []
    spans: dict[Phase, list[Span]] = {"prefill": [], "decode": [], "mixed": []}
    for run in runs:
        timed = [one for result in run.requests if (one := _timed(result, run)) is not None]
        if len(timed) < len(run.requests):
            return None
        for phase, span in _spans(timed):
            spans[phase].append(span)
        requests += timed
    made = [_made_within(spans["decode"], one) for one in requests]
    known = [count for count in made if count is not None]
    return Phases(
        prefill=tuple(spans["prefill"]),
        decode=tuple(spans["decode"]),
        mixed=tuple(spans["mixed"]),
        holds_all_prompts=all(
            _lies_in(spans["prefill"], one.submitted_s, one.first_s) for one in requests
        ),
        decode_tokens=sum(known) if len(known) == len(made) else None,
    )


def _timed(result: RequestResult, run: RunResult) -> _Timed | None:
    """Return ``result`` with its times in order and within the window of ``run``."""
    first_s = first_token_s(result)
    if first_s is None:
        return None
    submitted_s = min(max(result.submitted_s, run.started_s), run.finished_s)
    first_s = min(max(first_s, submitted_s), run.finished_s)
    last_s = max(first_s, result.finished_s, *(result.token_times_s or ())[-1:])
    finished_s = min(last_s, run.finished_s)
    return _Timed(result, submitted_s, first_s, finished_s)


def _spans(requests: Sequence[_Timed]) -> Iterator[tuple[Phase, Span]]:
    """Yield the longest stretches of one phase, in order of time."""
    changes: dict[float, tuple[int, int]] = {}
    for one in requests:
        for moment_s, waiting, generating in (
            (one.submitted_s, 1, 0),
            (one.first_s, -1, 1),
            (one.finished_s, 0, -1),
        ):
            before = changes.get(moment_s, (0, 0))
            changes[moment_s] = (before[0] + waiting, before[1] + generating)
    waiting = generating = 0
    last: tuple[Phase, Span] | None = None
    for moment_s, until_s in pairwise(sorted(changes)):
        waiting += changes[moment_s][0]
        generating += changes[moment_s][1]
        phase = _phase(waiting, generating)
        if last and last[0] == phase and last[1][1] == moment_s:
            last = (last[0], (last[1][0], until_s))
            continue
        if last:
            yield last
        last = (phase, (moment_s, until_s)) if phase else None
    if last:
        yield last


def _phase(waiting: int, generating: int) -> Phase | None:
    if waiting and generating:
        return "mixed"
    if waiting:
        return "prefill"
    return "decode" if generating else None


def _made_within(decode: Sequence[Span], request: _Timed) -> int | None:
    """Return how many of a request's tokens, the first apart, were made in ``decode``."""
    times = request.result.token_times_s
    if times:
        ready_s = np.minimum(times[1:], request.finished_s)
        return _count_made_within(decode, ready_s) if decode else 0
    whole = _lies_in(decode, request.first_s, request.finished_s)
    return max(len(request.result.output_ids) - 1, 0) if whole else None


def _lies_in(spans: Sequence[Span], start_s: float, end_s: float) -> bool:
    """Return whether one of ``spans`` contains all of a stretch, which may be empty."""
    at = bisect_right(spans, start_s, key=lambda span: span[0]) - 1
    return start_s == end_s or (at >= 0 and end_s <= spans[at][1])


def _count_made_within(spans: Sequence[Span], ready_s: Floats) -> int:
    """Return how many tokens were made in ``spans``: each in the time before it was ready."""
    edges = as_edges(spans)
    at = np.searchsorted(edges[:, 0], ready_s, side="left") - 1
    return int(np.count_nonzero((at >= 0) & (ready_s <= edges[np.maximum(at, 0), 1])))
