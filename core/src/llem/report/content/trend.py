"""Whether it mattered when in the study a run came: heat, drift, something in the background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from llem.report.load_outcomes import Stored
from llem.report.metrics import Metric
from llem.report.varied_parameters import canonical, settings

LEAST_RUNS = 6
"""Fewer runs than this show no trend."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How a metric went along with the order of runs, each against the mean of its own variant.

    Attributes:
        metric: The metric.
        points: Place in the order, and relative deviation from the variant's mean.
        slope_ratio: Relative change from the first run to the last, by a straight line.
        p: Probability of such a slope if order did not matter.
    """

    metric: Metric
    points: tuple[tuple[int, float], ...]
    slope_ratio: float
    p: float


def trend(stored: Sequence[Stored], metric: Metric) -> Trend | None:
    """Return the trend over the order of runs, or ``None`` for too few repeated runs.

    Variants that ran once have nothing to be compared with. The line is least squares, its test
    SciPy's.
    """
    from scipy import stats

    ordered = sorted(stored, key=lambda one: one.outcome.environment.started_at)
    groups: dict[str, list[tuple[int, float]]] = {}
    for place, one in enumerate(ordered, start=1):
        value = metric.of(one.outcome)
        if value is not None and value > 0:
            groups.setdefault(canonical(settings(one.outcome)), []).append((place, value))
    points = []
    for members in groups.values():
        if len(members) > 1:
            mean = math.fsum(math.log(value) for _, value in members) / len(members)
            points += [(place, math.expm1(math.log(value) - mean)) for place, value in members]
    if len(points) < LEAST_RUNS or len({place for place, _ in points}) < 2:
        return None
    points.sort()
    places, deviations = zip(*points, strict=True)
    if max(deviations) == min(deviations):
        return Trend(metric, tuple(points), 0.0, 1.0)
    line = stats.linregress(places, deviations)
    span = max(places) - min(places)
    return Trend(metric, tuple(points), float(line.slope) * span, float(line.pvalue))
