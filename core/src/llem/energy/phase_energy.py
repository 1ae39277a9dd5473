"""Energy of prefill and of decode, where the meters are quick enough to tell them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from llem.api.session import RunResult
from llem.energy.coverage import Span
from llem.energy.precision import slowest_period_s
from llem.energy.request_times import phases_of
from llem.energy.rows import Row, rows_of
from llem.energy.statistics import quadrature, ratio, total
from llem.schema.energy import PhaseEnergy

WORST_RATIO = 0.2
"""A phase's energy is shown if its standard uncertainty is at most this share of it. A judgement:
beyond it, twice the uncertainty is nearly half the figure."""

LEAST_PERIODS = 2
"""Spans this many times as long as a reading stands for contain at least one that is of them alone;
without it, a counter cannot tell a phase's power from that of what surrounds it."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One phase: its energy and standard uncertainty, or why they are not to be had."""

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
            unavailable="the engine does not tell when first tokens were ready",
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
        missing.append("per decode token: the engine does not tell which tokens mixed time made")
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
        return _Part(missing="it was never alone")
    rows = [rows_of(row.sources, spans, {}, "")[0] for row in counted]
    mean_s, period_s = _duration_s(spans) / len(spans), slowest_period_s(rows)
    if mean_s < LEAST_PERIODS * period_s:
        lasts = f"its spans last {1000 * mean_s:.3g} ms on average"
        return _Part(missing=f"{lasts}, and a reading stands for {1000 * period_s:.3g} ms")
    energy_j = total([row.gross_j for row in rows])
    uncertainty_j = quadrature([_alike_j(row, 2 * len(spans)) for row in rows])
    if energy_j is None or uncertainty_j is None:
        return _Part(missing="readings do not cover it")
    if uncertainty_j > WORST_RATIO * energy_j:
        uncertain = f"uncertain by {uncertainty_j:.3g} J in {energy_j:.3g} J"
        return _Part(missing=f"{uncertain}, more than {WORST_RATIO:.0%}")
    return _Part(energy_j, uncertainty_j)


def _alike_j(row: Row, edges: int) -> float:
    """Return the uncertainty of a row if the errors at all edges of its spans are alike.

    The same change of load stands at the edges of every span of a phase, so what is wrong at one
    may be wrong at all: fully correlated parts add up linearly (GUM, JCGM 100:2008, 5.2.2). The
    row adds them in quadrature; a linear sum of *n* parts is at most √n times that.
    """
    return row.uncertainty_j * math.sqrt(edges)


def _duration_s(spans: Sequence[Span]) -> float:
    return math.fsum(end_s - start_s for start_s, end_s in spans)
