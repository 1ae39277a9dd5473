"""Which results no other one beats in every respect."""

from __future__ import annotations

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the positions of the Pareto front, by rising cost.

    Args:
        points: Cost (lower is better) and gain (higher is better) of each.
    """
    ranked = sorted(range(len(points)), key=lambda at: (points[at][0], -points[at][1]))
    best, found = float("-inf"), []
    for at in ranked:
        if points[at][1] > best:
            best = points[at][1]
            found.append(at)
    return found
