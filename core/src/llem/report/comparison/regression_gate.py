"""A limit on a change, and whether it is kept: a regression gate that knows what it cannot tell."""

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

    KEPT = "kept"
    BROKEN = "broken"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on the change of a metric, such as ``j_per_output_token > +3%``.

    Attributes:
        metric: What is limited.
        above: Whether a change above the limit breaks it; else one below does.
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
class Judgement:
    """Whether one comparison keeps a limit.

    Attributes:
        limit: The limit.
        comparison: What it was held against.
        state: Broken only if the interval excludes the limit; kept only if it stays within.
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
            hint='Write one such as "j_per_output_token > +3%" or "output_tokens_per_s < -5%".',
        )
    relative = bool(found["unit"])
    number = float(found["number"])
    if relative and number <= -100:
        raise ConfigError(f"{text!r}: nothing falls by more than 100 %")
    return Limit(
        metric(found["metric"]),
        found["sign"] == ">",
        number / 100 if relative else number,
        relative,
    )


def judge(limits: Sequence[Limit], comparisons: Sequence[Comparison]) -> list[Judgement]:
    """Hold every comparison against the limits on its metric.

    With several comparisons, one is broken only if its interval excludes the limit at a level
    corrected for their number (Bonferroni), so that the chance of a false alarm anywhere stays at
    most 2.5 %. That all are kept needs no correction: each has to be.
    """
    pairs = [(limit, one) for limit in limits for one in comparisons if one.metric is limit.metric]
    return [Judgement(limit, one, _state(limit, one, len(pairs))) for limit, one in pairs]


def overall(judgements: Sequence[Judgement]) -> State:
    """Return the worst state; inconclusive if nothing was judged."""
    states = {one.state for one in judgements}
    for state in (State.BROKEN, State.INCONCLUSIVE):
        if state in states:
            return state
    return State.KEPT if states else State.INCONCLUSIVE


def _state(limit: Limit, one: Comparison, number: int) -> State:
    effect = one.change if limit.relative else one.difference
    if effect is None:
        return State.INCONCLUSIVE
    strict, plain = effect.interval(1 - ALPHA / number), effect.interval(1 - ALPHA)
    if strict.low is None or strict.high is None or plain.low is None or plain.high is None:
        return State.INCONCLUSIVE
    if limit.above:
        if strict.low > limit.change:
            return State.BROKEN
        return State.KEPT if plain.high <= limit.change else State.INCONCLUSIVE
    if strict.high < limit.change:
        return State.BROKEN
    return State.KEPT if plain.low >= limit.change else State.INCONCLUSIVE
