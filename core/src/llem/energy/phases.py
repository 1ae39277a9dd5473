"""When an engine only read prompts (prefill), when it only generated (decode), and their energy.

A request is active from its submission to the engine until its last token, and in prefill until
its first. Where all active requests are in the same phase, the time belongs to that phase. Where
some wait for their first token while others generate, as under continuous batching, the time is
mixed: no meter can split its energy. Time without an active request belongs to none of the three.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from llem.api.session import RequestResult, RunResult
from llem.energy.coverage import Floats, Span, as_edges
from llem.energy.domain_energy import Row
from llem.energy.energy_rows import slowest_period_s
from llem.energy.statistics import first_token_s, quadrature, ratio, total
from llem.schema.energy import PhaseEnergy

Phase = Literal["prefill", "decode", "mixed"]


@dataclass(frozen=True, slots=True)
class Phases:
    """Spans of all repetitions with every active request in the same phase, in order of time.

    Attributes:
        prefill: Every active request waited for its first token.
        decode: Every active request was past its first token.
        mixed: Active requests were in both phases.
        holds_all_prompts: Whether every prompt was read in prefill spans alone.
        decode_tokens: Output tokens generated in decode spans, first tokens apart; ``None`` where
            the engine reports no token times.
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
    """A request within its repetition's window."""

    result: RequestResult
    submitted_s: float
    first_s: float
    finished_s: float


def phases_of(runs: Sequence[RunResult]) -> Phases | None:
    """Return the phases of ``runs``; ``None`` where some request's first token has no time.

    Args:
        runs: Measured repetitions, in order of time.
    """
    requests: list[_Timed] = []
    spans: dict[Phase, list[Span]] = {"prefill": [], "decode": [], "mixed": []}
    for run in runs:
        timed = [request for result in run.requests if (request := _timed(result, run)) is not None]
        if len(timed) < len(run.requests):
            return None
        for phase, span in _spans(timed):
            spans[phase].append(span)
        requests += timed
    counts = [_decode_tokens(spans["decode"], request) for request in requests]
    known = [count for count in counts if count is not None]
    return Phases(
        prefill=tuple(spans["prefill"]),
        decode=tuple(spans["decode"]),
        mixed=tuple(spans["mixed"]),
        holds_all_prompts=all(
            _lies_in(spans["prefill"], request.submitted_s, request.first_s) for request in requests
        ),
        decode_tokens=sum(known) if len(known) == len(counts) else None,
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
    """Yield the longest stretches of each phase, in order of time."""
    changes: dict[float, tuple[int, int]] = {}
    for request in requests:
        for moment_s, waiting, generating in (
            (request.submitted_s, 1, 0),
            (request.first_s, -1, 1),
            (request.finished_s, 0, -1),
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


def _decode_tokens(decode: Sequence[Span], request: _Timed) -> int | None:
    """Return how many tokens of a request, the first apart, were generated in ``decode``."""
    times = request.result.token_times_s
    if times:
        ready_s = np.minimum(times[1:], request.finished_s)
        return _count_within(decode, ready_s) if decode else 0
    whole = _lies_in(decode, request.first_s, request.finished_s)
    return max(len(request.result.output_ids) - 1, 0) if whole else None


def _lies_in(spans: Sequence[Span], start_s: float, end_s: float) -> bool:
    """Return whether a span contains the whole stretch, which may be empty."""
    at = bisect_right(spans, start_s, key=lambda span: span[0]) - 1
    return start_s == end_s or (at >= 0 and end_s <= spans[at][1])


def _count_within(spans: Sequence[Span], ready_s: Floats) -> int:
    """Return how many tokens were generated in ``spans``: each in the time before it was ready."""
    edges = as_edges(spans)
    at = np.searchsorted(edges[:, 0], ready_s, side="left") - 1
    return int(np.count_nonzero((at >= 0) & (ready_s <= edges[np.maximum(at, 0), 1])))


MAX_UNCERTAINTY_RATIO = 0.2
"""A phase's energy is shown if its standard uncertainty is at most this share of it. A judgement:
beyond it, twice the uncertainty is nearly half the figure."""

MIN_PERIODS = 2
"""A span this many update periods long holds at least one reading of that span alone; without it,
a counter cannot tell the phase's power from the power before and after."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A phase: its energy and standard uncertainty, or why they are unavailable."""

    energy_j: float | None = None
    uncertainty_j: float | None = None
    missing: str | None = None


def phase_energy(
    counted: Sequence[Row], runs: Sequence[RunResult], input_tokens: int
) -> PhaseEnergy:
    """Return the gross energy of each phase of ``runs``.

    Args:
        counted: The rows that enter the totals, over the windows of ``runs``.
        runs: The measured repetitions.
        input_tokens: Prompt tokens of all of them.
    """
    phases = phases_of(runs)
    if phases is None:
        return PhaseEnergy(
            prefill_s=None,
            prefill_j=None,
            prefill_uncertainty_j=None,
            j_per_prefill_token=None,
            decode_s=None,
            decode_j=None,
            decode_uncertainty_j=None,
            j_per_decode_token=None,
            mixed_s=None,
            unavailable="the engine reports no times of first tokens",
        )
    missing: list[str] = []
    if total([row.gross_j for row in counted]) is None:
        missing.append("no energy is measured")
        prefill = decode = _Part()
    else:
        prefill, decode = _part(counted, phases.prefill), _part(counted, phases.decode)
        for name, part in (("prefill", prefill), ("decode", decode)):
            if part.missing:
                missing.append(f"{name}: {part.missing}")
    if prefill.energy_j is not None and not phases.holds_all_prompts:
        missing.append("per prefill token: mixed time served some prompts")
    if decode.energy_j is not None and phases.decode_tokens is None:
        missing.append("per decode token: the engine reports no token times for mixed time")
    return PhaseEnergy(
        prefill_s=_duration_s(phases.prefill),
        prefill_j=prefill.energy_j,
        prefill_uncertainty_j=prefill.uncertainty_j,
        j_per_prefill_token=ratio(
            prefill.energy_j, input_tokens if phases.holds_all_prompts else 0
        ),
        decode_s=_duration_s(phases.decode),
        decode_j=decode.energy_j,
        decode_uncertainty_j=decode.uncertainty_j,
        j_per_decode_token=ratio(decode.energy_j, phases.decode_tokens or 0),
        mixed_s=_duration_s(phases.mixed),
        unavailable="; ".join(missing) or None,
    )


def _part(counted: Sequence[Row], spans: Sequence[Span]) -> _Part:
    if not spans:
        return _Part(missing="no time belongs to it alone")
    rows = [row.over(spans) for row in counted]
    mean_s, period_s = _duration_s(spans) / len(spans), slowest_period_s(rows)
    if mean_s < MIN_PERIODS * period_s:
        lasts = f"its spans last {1000 * mean_s:.3g} ms on average"
        return _Part(missing=f"{lasts}, and a reading covers {1000 * period_s:.3g} ms")
    energy_j = total([row.gross_j for row in rows])
    uncertainty_j = quadrature([_correlated_j(row, 2 * len(spans)) for row in rows])
    if energy_j is None or uncertainty_j is None:
        return _Part(missing="readings do not cover it")
    if uncertainty_j > MAX_UNCERTAINTY_RATIO * energy_j:
        uncertain = f"uncertain by {uncertainty_j:.3g} J in {energy_j:.3g} J"
        return _Part(missing=f"{uncertain}, more than {MAX_UNCERTAINTY_RATIO:.0%}")
    return _Part(energy_j, uncertainty_j)


def _correlated_j(row: Row, edges: int) -> float:
    """Return the uncertainty of a row if the errors at all edges of its spans are correlated.

    The same change of load occurs at the edges of every span of a phase, so an error at an edge
    may recur at all edges: fully correlated parts add up linearly (GUM, JCGM 100:2008, 5.2.2).
    The row adds them in quadrature; a linear sum of *n* parts is at most √n times that.
    """
    return row.uncertainty_j * math.sqrt(edges)


def _duration_s(spans: Sequence[Span]) -> float:
    return math.fsum(end_s - start_s for start_s, end_s in spans)
