"""When an engine only read prompts (prefill), when it only generated (decode), and their energy.

A request is active from its submission to the engine until its last token, and in prefill until
its first. Where all active requests are in the same phase, the time belongs to that phase. Where
some wait for their first token while others generate, as under continuous batching, the time is
mixed: no meter can split its energy. Time without an active request belongs to none of the three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from llem.api.session import RequestResult, RunResult
from llem.energy.coverage import Floats, Integers, Span, end_of_last_window
from llem.energy.domain_energy import Row
from llem.energy.energy_rows import slowest_period_s
from llem.energy.statistics import first_token_s, quadrature, ratio, total
from llem.schema.energy import PhaseEnergy

_PREFILL, _DECODE = 1, 2
_MIXED = _PREFILL + _DECODE


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


def phases_of(runs: Sequence[RunResult]) -> Phases | None:
    """Return the phases of ``runs``; ``None`` where some request's first token has no time.

    Args:
        runs: Measured repetitions, in order of time.
    """
    results = [result for run in runs for result in run.requests]
    if any(first_token_s(result) is None for result in results):
        return None
    timed = [_times_s(run) for run in runs]
    kinds, spans = map(np.concatenate, zip(*map(_stretches, timed), strict=True))
    prefill, decode, mixed = (spans[kinds == kind] for kind in (_PREFILL, _DECODE, _MIXED))
    submitted_s, first_s, finished_s = np.concatenate(timed).T
    whole = _lie_in(decode, first_s, finished_s)
    counts = list(map(partial(_decode_tokens, decode), results, finished_s, whole))
    known = [count for count in counts if count is not None]
    return Phases(
        prefill=_as_spans(prefill),
        decode=_as_spans(decode),
        mixed=_as_spans(mixed),
        holds_all_prompts=bool(np.all(_lie_in(prefill, submitted_s, first_s))),
        decode_tokens=sum(known) if len(known) == len(counts) else None,
    )


def _times_s(run: RunResult) -> Floats:
    """Return submission, first token and end of each request, in order and within the window."""
    rows = [
        (
            result.submitted_s,
            first_token_s(result),
            max((result.finished_s, *(result.token_times_s or ())[-1:])),
        )
        for result in run.requests
    ]
    ordered = np.maximum.accumulate(np.array(rows, dtype=np.float64).reshape(-1, 3), axis=1)
    return np.clip(ordered, run.started_s, run.finished_s)


def _stretches(times_s: Floats) -> tuple[Integers, Floats]:
    """Return the longest stretches of a run in one phase: the phase, and start and end, of each."""
    moments_s, at = np.unique(times_s, return_inverse=True)
    change = np.zeros((len(moments_s), 2), dtype=np.int64)
    np.add.at(change, at.reshape(-1, 3), [(1, 0), (-1, 1), (0, -1)])
    waiting, generating = np.cumsum(change, axis=0)[:-1].T > 0
    phase = _PREFILL * waiting + _DECODE * generating
    begins = np.flatnonzero(np.diff(phase, prepend=-1))
    ends = np.append(begins, len(phase))[1:]
    return phase[begins], np.column_stack((moments_s[begins], moments_s[ends]))


def _decode_tokens(
    decode: Floats, result: RequestResult, finished_s: float, whole: bool
) -> int | None:
    """Return how many tokens of a request, the first apart, were generated in ``decode``.

    Args:
        decode: Decode spans.
        result: The request.
        finished_s: Its end within the window.
        whole: Whether a decode span contains all time after its first token.
    """
    if result.token_times_s:
        # Each was generated in the time before it was ready.
        ready_s = np.minimum(result.token_times_s[1:], finished_s)
        return int(np.sum(ready_s <= end_of_last_window(decode, ready_s)))
    return max(len(result.output_ids) - 1, 0) if whole else None


def _lie_in(spans: Floats, start_s: Floats, end_s: Floats) -> NDArray[np.bool_]:
    """Return whether a span contains each whole stretch, which may be empty."""
    ends_s = end_of_last_window(spans, start_s, "right")
    lie: NDArray[np.bool_] = (start_s == end_s) | (end_s <= ends_s)
    return lie


def _as_spans(windows: Floats) -> tuple[Span, ...]:
    return tuple((start_s, end_s) for start_s, end_s in windows.tolist())


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
        return PhaseEnergy(unavailable="the engine reports no times of first tokens")
    if total([row.gross_j for row in counted]) is None:
        missing, prefill, decode = ["no energy is measured"], _Part(), _Part()
    else:
        prefill, decode = _part(counted, phases.prefill), _part(counted, phases.decode)
        parts = {"prefill": prefill, "decode": decode}
        missing = [f"{name}: {part.missing}" for name, part in parts.items() if part.missing]
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
