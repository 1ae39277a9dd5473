"""Rules that keep one number of the section at or below another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule
from llem.schema.fields import value_at

if TYPE_CHECKING:
    from llem_vllm.config import VLLMConfig


def at_most(lower: str, upper: str, *, name: str, reason: str) -> Rule[VLLMConfig]:
    """Return the rule that ``lower`` does not exceed ``upper``; both are dotted paths."""

    def violated(experiment: Experiment, section: VLLMConfig) -> bool:
        low, high = value_at(experiment, lower), value_at(experiment, upper)
        return low is not None and high is not None and low > high

    return Rule(
        name=name,
        fields=(lower, upper),
        reason=reason,
        hint=f"Lower {lower}, or raise {upper}.",
        violated=violated,
    )
