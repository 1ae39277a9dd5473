"""What affects a metric: each parameter with the others held equal, and the order of the runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from llem.errors import NotComparable
from llem.report.comparison.comparison import Comparison, compare
from llem.report.comparison.inference import Interval, effect
from llem.report.load_outcomes import StoredOutcome, outcomes_of, split_by
from llem.report.metrics import Metric
from llem.report.varied_parameters import canonical, grouped, settings, varying

_MOST_VALUES = 12


@dataclass(frozen=True, slots=True)
class ParameterEffect:
    """The effect of one value of a parameter, against the baseline's value.

    Attributes:
        parameter: Dotted path.
        baseline: The baseline's value.
        value: The value.
        metric: The metric that changes.
        change: Relative change with its 95 % interval.
        settings: Number of settings of the other parameters that it is the mean over.
    """

    parameter: str
    baseline: Any
    value: Any
    metric: Metric
    change: Interval
    settings: int


def parameter_effects(
    stored: Sequence[StoredOutcome], metrics: Sequence[Metric]
) -> tuple[list[ParameterEffect], dict[str, str]]:
    """Return the effect of each value of each parameter that varies, and why others have none.

    A parameter has an effect exactly where `llem compare --by` compares: on valid outcomes that
    did the same work on the same devices. The reasons are by parameter, in that command's words.

    Where the other parameters have several settings, the effect is the mean over them, and its
    interval that of their differences, with one value a setting (paired t): it holds for the
    settings of the study, and is wide where they disagree.
    """
    found: list[ParameterEffect] = []
    refused: dict[str, str] = {}
    for parameter in varying(outcomes_of(stored)):
        try:
            base, new = split_by(stored, parameter, None)
            result = compare(base, new, metrics)
        except NotComparable as error:
            first, *more = (line.strip() for line in error.message.splitlines())
            refused[parameter] = f"{first} {'; '.join(more)}".rstrip()
            continue
        for metric in metrics:
            found += _by_value(parameter, metric, result.comparisons)
    return found, refused


def _by_value(
    parameter: str, metric: Metric, comparisons: Sequence[Comparison]
) -> list[ParameterEffect]:
    relevant = [
        comparison
        for comparison in comparisons
        if comparison.metric is metric
        and comparison.change
        # If another parameter changes as well, the change has two causes.
        and set(comparison.match.variant) == {parameter}
    ]
    groups = grouped(relevant, lambda comparison: canonical(comparison.match.variant))
    return [
        ParameterEffect(
            parameter=parameter,
            baseline=group[0].match.base_values[parameter],
            value=group[0].match.variant[parameter],
            metric=metric,
            change=_pooled(group),
            settings=len(group),
        )
        for group in list(groups.values())[:_MOST_VALUES]
    ]


def _pooled(group: Sequence[Comparison]) -> Interval:
    if len(group) == 1:
        return group[0].effect.interval()
    base = [comparison.base_mean for comparison in group]
    new = [comparison.new_mean for comparison in group]
    return effect(base, new, paired=True, relative=True).interval()


LEAST_RUNS = 6
"""Fewer runs than this show no trend."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A metric over the order of the runs, each run against the mean of its own variant.

    Attributes:
        metric: The metric.
        points: Position in the order, and relative deviation from the variant's mean.
        slope_ratio: Relative change from the first run to the last, by a straight line.
        p: Probability of such a slope if order did not matter.
    """

    metric: Metric
    points: tuple[tuple[int, float], ...]
    slope_ratio: float
    p: float


def order_trend(stored: Sequence[StoredOutcome], metric: Metric) -> Trend | None:
    """Return the trend over the order of the runs, or ``None`` for too few repeated runs.

    A variant that ran once has no mean to deviate from. The line is least squares; SciPy tests it.
    """
    from scipy import stats

    ordered = sorted(outcomes_of(stored), key=lambda outcome: outcome.environment.started_at)
    runs = [
        (canonical(settings(outcome)), position, math.log(value))
        for position, outcome in enumerate(ordered, start=1)
        if (value := metric.of(outcome)) is not None and value > 0
    ]
    points = []
    for variant in grouped(runs, lambda run: run[0]).values():
        if len(variant) > 1:
            mean = fmean(log for _, _, log in variant)
            points += [(position, math.expm1(log - mean)) for _, position, log in variant]
    if len(points) < LEAST_RUNS:
        return None
    points.sort()
    positions, deviations = zip(*points, strict=True)
    if max(deviations) == min(deviations):
        return Trend(metric, tuple(points), 0.0, 1.0)
    line = stats.linregress(positions, deviations)
    span = max(positions) - min(positions)
    return Trend(metric, tuple(points), float(line.slope) * span, float(line.pvalue))
