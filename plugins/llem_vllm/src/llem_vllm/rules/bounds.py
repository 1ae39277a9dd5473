"""Rules that keep one number of the section at or below another."""

from __future__ import annotations

from llem.schema.base import Rule
from llem.schema.experiment import Experiment
from llem.schema.fields import value_at


def at_most(lower: str, upper: str, *, name: str, reason: str) -> Rule:
    """Return the rule that ``lower`` does not exceed ``upper``; both are dotted paths."""

    def violated(experiment: Experiment) -> bool:
        low, high = value_at(experiment, lower), value_at(experiment, upper)
        return low is not None and high is not None and low > high

    return Rule(
        name=name,
        fields=(lower, upper),
        reason=reason,
        hint=f"Lower {lower}, or raise {upper}.",
        violated=violated,
    )
