"""Where accelerate may put how much."""

from __future__ import annotations


def memory_limits(**limits: int | str) -> dict[int | str, int | str]:
    """Return ``limits`` as accelerate takes them: CUDA devices by number.

    A plan is JSON, whose keys are strings.
    """
    return {int(key) if key.isdigit() else key: limit for key, limit in limits.items()}
