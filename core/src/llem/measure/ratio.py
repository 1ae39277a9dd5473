"""How well energy per token, or per request, is known from repeating the work.

A single short repetition is not known well: its energy lies within few updates of a meter, and what
it gets too much of, its neighbour gets too little of. So repetitions are taken together in blocks
that are long beside the update period; between blocks, such errors no longer matter, and the
blocks' spread is the spread of the work itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from llem.measure.statistics import spread, t_quantile_975

BLOCK_PERIODS = 10.0
"""Least length of a block, in update periods of the slowest meter."""

_TWO_SIDED_95 = 1.96
"""Half-width of a normal distribution's 95 % interval, in standard deviations."""


@dataclass(frozen=True, slots=True)
class RatioPrecision:
    """How well a ratio of energy to work is known.

    Attributes:
        standard_error_ratio: Standard error of its mean over blocks, as a share of it.
        half_width_ratio: Half the 95 % interval, as a share of the ratio; the readings' own
            uncertainty included.
        blocks: Number of blocks.
    """

    standard_error_ratio: float
    half_width_ratio: float
    blocks: int


def ratio_precision(
    energies_j: Sequence[float],
    amounts: Sequence[float],
    durations_s: Sequence[float],
    *,
    uncertainty_j: float,
    update_period_s: float,
) -> RatioPrecision | None:
    """Return how well energy per amount is known; ``None`` with fewer than two blocks.

    Args:
        energies_j: Energy of each repetition.
        amounts: Its tokens or requests.
        durations_s: Its length.
        uncertainty_j: Standard uncertainty of all energy together.
        update_period_s: Update period of the slowest meter.
    """
    blocks = list(_blocks(durations_s, BLOCK_PERIODS * update_period_s))
    total_j = math.fsum(energies_j)
    ratios = [
        math.fsum(energies_j[first:last]) / done
        for first, last in blocks
        if (done := math.fsum(amounts[first:last])) > 0
    ]
    if len(ratios) < 2 or total_j <= 0:
        return None
    statistics = spread(ratios)
    assert statistics.std is not None
    if statistics.mean <= 0:
        return None
    error = statistics.std / math.sqrt(len(ratios)) / statistics.mean
    half_width = math.hypot(
        t_quantile_975(len(ratios) - 1) * error, _TWO_SIDED_95 * uncertainty_j / total_j
    )
    return RatioPrecision(error, half_width, len(ratios))


def _blocks(durations_s: Sequence[float], least_s: float) -> list[tuple[int, int]]:
    """Return where consecutive blocks begin and end; a short rest joins the last one."""
    blocks: list[tuple[int, int]] = []
    first, length_s = 0, 0.0
    for at, duration_s in enumerate(durations_s, start=1):
        length_s += duration_s
        if length_s >= least_s:
            blocks.append((first, at))
            first, length_s = at, 0.0
    if first < len(durations_s):
        first = blocks.pop()[0] if blocks else 0
        blocks.append((first, len(durations_s)))
    return blocks
