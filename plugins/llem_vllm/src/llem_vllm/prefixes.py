"""How much of each prompt a prefix cache can rightly have met before, within one repetition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def shared_prefix_tokens(prompts: Sequence[Sequence[int]]) -> list[int]:
    """Return for each prompt how many of its first tokens another prompt begins with as well.

    More cache hits than that come from an earlier repetition. In sorted order the prompt that
    shares the most stands next to it.
    """
    order = sorted(range(len(prompts)), key=lambda index: list(prompts[index]))
    shared = [0] * len(prompts)
    for before, after in pairwise(order):
        length = _common(prompts[before], prompts[after])
        shared[before] = max(shared[before], length)
        shared[after] = max(shared[after], length)
    return shared


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(first), len(second)))
