"""The order in which the experiments of a study are run, repeats included."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from llem.study.study_file import Order


@dataclass(frozen=True, slots=True)
class Place:
    """One run in the order of a study.

    Attributes:
        experiment: Number of the experiment.
        repeat: Number of the repeat, from 0.
        block: Number of the pass over all experiments it belongs to, from 0.
    """

    experiment: int
    repeat: int
    block: int


def arrange(
    experiments: int,
    repeats: int,
    order: Order,
    *,
    seed: int = 0,
    group: Callable[[int], Hashable] | None = None,
) -> Iterator[Place]:
    """Yield every run once, in order.

    Args:
        experiments: Number of experiments.
        repeats: How often each experiment is run.
        order: The design; all but ``sequential`` make a pass (a block) for each repeat.
        seed: Seed of ``shuffled``.
        group: Says which experiments can share a worker. Where the design leaves the order
            within a pass open (``sequential`` and ``interleaved``), they follow each other.
    """
    numbers = list(range(experiments))
    if group is not None and order in ("sequential", "interleaved"):
        numbers = _grouped(numbers, group)
    if order == "sequential":
        for number in numbers:
            for repeat in range(repeats):
                yield Place(number, repeat, 0)
        return
    for block in range(repeats):
        for number in _pass(numbers, block, order, seed):
            yield Place(number, block, block)


def balanced_after(experiments: int) -> int:
    """Return how many passes balance a Williams design: ``experiments``, twice that if odd."""
    return experiments if experiments % 2 == 0 else 2 * experiments


def williams_row(experiments: int, row: int) -> Iterator[int]:
    """Yield a row of a Williams design, a Latin square balanced for the predecessor.

    In the first ``experiments`` rows every experiment stands once in each place. If their number
    is even, every experiment also follows every other once. An odd number needs the mirrored rows
    for that, so the design has twice as many.

    Source: E. J. Williams, "Experimental designs balanced for the estimation of residual
    effects of treatments", Australian Journal of Scientific Research A 2, 1949.
    """
    row %= balanced_after(experiments)
    mirrored, shift = divmod(row, experiments)
    for at in range(experiments):
        step = experiments - 1 - at if mirrored else at
        # 0, 1, n-1, 2, n-2, …: each difference of neighbours occurs once.
        zigzag = (step + 1) // 2 if step % 2 else (experiments - step // 2) % experiments
        yield (zigzag + shift) % experiments


def _pass(numbers: Sequence[int], block: int, order: Order, seed: int) -> Iterable[int]:
    if order == "latin-square":
        return williams_row(len(numbers), block)
    shuffled = list(numbers)
    if order == "shuffled":
        # A text seeds alike in every Python and on every machine.
        random.Random(f"{seed}/{block}").shuffle(shuffled)  # noqa: S311 - a design, not a secret
    return shuffled


def _grouped(numbers: Sequence[int], group: Callable[[int], Hashable]) -> list[int]:
    """Return ``numbers`` group by group, groups in order of their first number."""
    first: dict[Hashable, int] = {}
    return sorted(numbers, key=lambda number: first.setdefault(group(number), number))
