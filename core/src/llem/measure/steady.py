"""Is the workload warmed up?"""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.config import WarmupConfig

LOOK_BACK = 3
"""Repetitions that must agree."""


def is_stable(durations_s: Sequence[float], config: WarmupConfig) -> bool:
    """Return whether the last repetitions took the same time.

    Args:
        durations_s: Duration of every warm-up repetition so far.
        config: How many there must be at least, and how well they must agree.
    """
    if config.max_repetitions == 0:
        return True
    if len(durations_s) < max(config.min_repetitions, LOOK_BACK):
        return False
    recent = durations_s[-LOOK_BACK:]
    mean = sum(recent) / LOOK_BACK
    return all(abs(one - mean) <= config.stable_within_ratio * mean for one in recent)
