"""What each parameter of a study does, all else held equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llem.errors import NotComparable
from llem.report.comparison.comparison import EVERY_CODE, Comparison, compare
from llem.report.comparison.inference import Interval, effect
from llem.report.comparison.pairing import split_by
from llem.report.load_outcomes import Stored
from llem.report.metrics import Metric
from llem.report.varied_parameters import canonical, varying

_MOST_VALUES = 12


@dataclass(frozen=True, slots=True)
class ParameterEffect:
    """What one value of a parameter does against the baseline's value.

    Attributes:
        parameter: Dotted path.
        baseline: Its value in the baseline.
        value: Its value here.
        metric: What changes.
        change: Relative change with its 95 % interval.
        settings: Over how many settings of the other parameters it is the mean.
    """

    parameter: str
    baseline: Any
    value: Any
    metric: Metric
    change: Interval
    settings: int


def parameter_effects(stored: Sequence[Stored], metrics: Sequence[Metric]) -> list[ParameterEffect]:
    """Return the effect of each value of each parameter that varies.

    Where the other parameters have several settings, the effect is the mean over them and its
    interval that of their differences, a setting being one value (paired t): it holds for the
    settings of the study, and is wide where they disagree.
    """
    found = []
    for parameter in varying([one.outcome for one in stored]):
        try:
            base, new = split_by(stored, parameter, None)
            # A report shows what there is; the sides' differences stand in its other tables.
            answer = compare(base, new, metrics, allow=EVERY_CODE)
        except NotComparable:
            continue
        for metric in metrics:
            mine = [one for one in answer.comparisons if one.metric is metric and one.change]
            found += _by_value(parameter, metric, mine)
    return found


def _by_value(
    parameter: str, metric: Metric, comparisons: Sequence[Comparison]
) -> list[ParameterEffect]:
    groups: dict[str, list[Comparison]] = {}
    for one in comparisons:
        # Another parameter that changes along with this one makes it another question.
        if set(one.match.variant) == {parameter}:
            groups.setdefault(canonical(one.match.variant[parameter]), []).append(one)
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
        assert group[0].change is not None
        return group[0].change.interval()
    base, new = [one.base_mean for one in group], [one.new_mean for one in group]
    return effect(base, new, paired=True, relative=True).interval()
