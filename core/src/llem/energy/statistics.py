"""Sums, spread, quantiles and precision of figures over repetitions and requests."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from llem.api.session import RequestResult, RunResult
from llem.schema.outcome import Latency, Quantiles, Spread


def total(parts: Sequence[float | None]) -> float | None:
    """Return the sum, or ``None`` if ``parts`` is empty or a part is unavailable."""
    known = [part for part in parts if part is not None]
    return math.fsum(known) if known and len(known) == len(parts) else None


def quadrature(parts: Sequence[float | None]) -> float | None:
    """Return the root of the sum of squares, or ``None`` if ``parts`` is empty or lacks a part."""
    known = [part for part in parts if part is not None]
    return math.hypot(*known) if known and len(known) == len(parts) else None


def ratio(numerator: float | None, denominator: float) -> float | None:
    """Return the quotient, or ``None`` without a numerator or with a denominator of 0."""
    return None if numerator is None or denominator == 0 else numerator / denominator


def spread(values: Sequence[float]) -> Spread:
    """Return mean, sample standard deviation and the 95 % t-interval of the mean.

    A single value has no interval. Source: Student's t with n - 1 degrees of freedom.

    Raises:
        ValueError: ``values`` is empty.
    """
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Spread(mean=mean, std=None, ci95_low=None, ci95_high=None, n=n)
    std = statistics.stdev(values)
    half_width = t_quantile_975(n - 1) * std / math.sqrt(n)
    return Spread(mean=mean, std=std, ci95_low=mean - half_width, ci95_high=mean + half_width, n=n)


def rate_spread(amounts: Sequence[float], durations_s: Sequence[float]) -> Spread:
    """Return the statistics of a rate over repetitions, such as output tokens per second.

    The mean is the total amount over the total time; a mean of single rates would give short
    repetitions too much weight. Interval and deviation are
    those of the time per unit, inverted: the ends exactly, the deviation to first order. The
    upper end is ``None`` where the time's lower end is not above 0.

    Args:
        amounts: Amount of each repetition, such as its output tokens; not all 0.
        durations_s: Length of each repetition.

    Raises:
        ValueError: ``amounts`` is empty.
    """
    per_repetition = math.fsum(amounts) / len(amounts)
    # Each duration, scaled as if its repetition had done the mean amount.
    slowness = spread([duration_s / per_repetition for duration_s in durations_s])
    return Spread(
        mean=1 / slowness.mean,
        std=None if slowness.std is None else slowness.std / slowness.mean**2,
        ci95_low=None if slowness.ci95_high is None else 1 / slowness.ci95_high,
        ci95_high=1 / slowness.ci95_low if slowness.ci95_low and slowness.ci95_low > 0 else None,
        n=slowness.n,
    )


def t_quantile_975(degrees_of_freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, 0.975))


def quantiles(values: Sequence[float]) -> Quantiles:
    """Return quantiles (linear interpolation between order statistics) and the mean.

    Units: those of ``values``; in an outcome, seconds.
    """
    p50, p90, p95, p99 = (float(q) for q in np.quantile(values, [0.50, 0.90, 0.95, 0.99]))
    return Quantiles(p50=p50, p90=p90, p95=p95, p99=p99, mean=math.fsum(values) / len(values))


def latency(runs: Sequence[RunResult]) -> Latency:
    """Return time to first token, inter-token latency and end-to-end latency.

    All count from the submission of a request to the engine: waiting for an earlier static batch
    is not waiting *in* the engine. A request that returns several sequences begins with the first
    token of any and ends with the last of all. Where a request has no token times, the token
    latencies are unavailable as a whole, since a selection would be biased.
    """
    requests = [results for run in runs for results in run.by_request.values()]
    e2e = quantiles(
        [
            max(result.finished_s for result in results) - results[0].submitted_s
            for results in requests
        ]
    )
    timed = [result.token_times_s for results in requests for result in results]
    first = [
        min(ready_s) - results[0].submitted_s
        for results in requests
        if (ready_s := [time for time in map(first_token_s, results) if time is not None])
    ]
    if len(first) < len(requests):
        reason = "the engine reports no times of single tokens"
        return Latency(ttft_s=None, itl_s=None, e2e_s=e2e, unavailable=reason)
    if not all(timed):
        reason = "the engine reports the time of the first token only"
        return Latency(ttft_s=quantiles(first), itl_s=None, e2e_s=e2e, unavailable=reason)
    gaps = [after - before for times in timed if times for before, after in pairwise(times)]
    return Latency(
        ttft_s=quantiles(first),
        itl_s=quantiles(gaps) if gaps else None,
        e2e_s=e2e,
        unavailable=None if gaps else "no request has two tokens",
    )


def first_token_s(request: RequestResult) -> float | None:
    """Return when the first token was ready; ``None`` if the engine does not report it."""
    return request.token_times_s[0] if request.token_times_s else request.first_token_s


BLOCK_PERIODS = 10.0
"""Least length of a block, in update periods of the slowest meter."""

TWO_SIDED_95 = 1.96
"""Half-width of a normal distribution's 95 % interval, in standard deviations."""


@dataclass(frozen=True, slots=True)
class RatioPrecision:
    """Precision of a ratio of energy to work.

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
    """Return the precision of energy per amount; ``None`` with fewer than two blocks.

    Args:
        energies_j: Energy of each repetition.
        amounts: Tokens or requests of each repetition.
        durations_s: Length of each repetition.
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
        t_quantile_975(len(ratios) - 1) * error, TWO_SIDED_95 * uncertainty_j / total_j
    )
    return RatioPrecision(error, half_width, len(ratios))


def _blocks(durations_s: Sequence[float], least_s: float) -> list[tuple[int, int]]:
    """Return start and end of consecutive blocks; a short rest joins the last block."""
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
