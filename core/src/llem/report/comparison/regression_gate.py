"""A regression gate: a limit on the change of a metric, and whether a comparison exceeds it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from llem.errors import ConfigError
from llem.report.comparison.comparison import ALPHA, Comparison
from llem.report.metrics import Metric, metric

_LIMIT = re.compile(
    r"\s*(?P<metric>\w+)\s*(?P<sign>[<>])\s*(?P<number>[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(?P<unit>%?)\s*"
)


class State(StrEnum):
    """How a gate ended."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on the change of a metric, such as ``j_per_output_token > +3%``.

    Attributes:
        metric: The metric.
        above: Whether a change above the limit fails; else a change below it fails.
        change: The limit: a ratio less one if ``relative``, else in the metric's unit.
        relative: Whether it is relative.
    """

    metric: Metric
    above: bool
    change: float
    relative: bool

    def __str__(self) -> str:
        shown = f"{100 * self.change:+g}%" if self.relative else f"{self.change:+g}"
        return f"{self.metric.name} {'>' if self.above else '<'} {shown}"


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """Whether one comparison exceeds a limit.

    Attributes:
        limit: The limit.
        comparison: The comparison.
        state: Failed only if the whole interval exceeds the limit; passed only if none of it does.
    """

    limit: Limit
    comparison: Comparison
    state: State


def parse_limit(text: str) -> Limit:
    """Return the limit that ``text`` states.

    Raises:
        ConfigError: It is not of the form ``METRIC > +3%``.
    """
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise ConfigError(
            f"{text!r} is not a limit",
            hint='Write a limit such as "j_per_output_token > +3%" or "output_tokens_per_s < -5%".',
        )
    relative = bool(found["unit"])
    number = float(found["number"])
    if relative and number <= -100:
        raise ConfigError(f"{text!r}: a value cannot fall by more than 100 %")
    return Limit(
        metric(found["metric"]),
        found["sign"] == ">",
        number / 100 if relative else number,
        relative,
    )


def check_limits(limits: Sequence[Limit], comparisons: Sequence[Comparison]) -> list[LimitCheck]:
    """Check every comparison against the limits on its metric.

    With several comparisons, one fails only if its interval exceeds the limit at a level corrected
    for their number (Bonferroni), so the chance of any false alarm stays at most 2.5 %. Passing
    needs no correction, because every comparison has to pass.
    """
    pairs = [
        (limit, comparison)
        for limit in limits
        for comparison in comparisons
        if comparison.metric is limit.metric
    ]
    return [
        LimitCheck(limit, comparison, _state(limit, comparison, len(pairs)))
        for limit, comparison in pairs
    ]


def overall(checks: Sequence[LimitCheck]) -> State:
    """Return the worst state; inconclusive if there is no check."""
    states = {check.state for check in checks}
    for state in (State.FAILED, State.INCONCLUSIVE):
        if state in states:
            return state
    return State.PASSED if states else State.INCONCLUSIVE


def _state(limit: Limit, comparison: Comparison, number: int) -> State:
    effect = comparison.change if limit.relative else comparison.difference
    if effect is None:
        return State.INCONCLUSIVE
    strict, plain = effect.interval(1 - ALPHA / number), effect.interval(1 - ALPHA)
    if strict.low is None or strict.high is None or plain.low is None or plain.high is None:
        return State.INCONCLUSIVE
    if limit.above:
        exceeds, keeps = strict.low > limit.change, plain.high <= limit.change
    else:
        exceeds, keeps = strict.high < limit.change, plain.low >= limit.change
    if exceeds:
        return State.FAILED
    return State.PASSED if keeps else State.INCONCLUSIVE
