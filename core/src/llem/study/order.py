"""In which order the experiments of a study are run, repeats included."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from llem.study.settings import Order


@dataclass(frozen=True, slots=True)
class Place:
    """One run in the order of a study.

    Attributes:
        experiment: Number of the experiment.
        repeat: Which of its runs it is, from 0.
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
        experiments: How many there are.
        repeats: How often each is run.
        order: The design; all but ``sequential`` make one pass (a block) for each repeat.
        seed: Seed of ``shuffled``.
        group: Says which experiments can share a worker. Where the design leaves the order
            within a pass open (``sequential`` and ``interleaved``), they come one after another.
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
    """Return how many passes of a Williams design make it balanced: twice as many if odd."""
    return experiments if experiments % 2 == 0 else 2 * experiments


def williams_row(experiments: int, row: int) -> Iterator[int]:
    """Yield one row of a Williams design, a Latin square balanced for what comes before.

    In the first ``experiments`` rows everything stands once in each place, and if their number
    is even, each thing follows each other one once. For an odd number that takes the mirrored
    rows as well, so it has twice as many.

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


def _pass(numbers: Sequence[int], block: int, order: Order, seed: int) -> Iterator[int]:
    if order == "latin-square":
        yield from williams_row(len(numbers), block)
        return
    shuffled = list(numbers)
    if order == "shuffled":
        # A text seeds alike in every Python and on every machine.
        random.Random(f"{seed}/{block}").shuffle(shuffled)  # noqa: S311 - a design, not a secret
    yield from shuffled


def _grouped(numbers: Sequence[int], group: Callable[[int], Hashable]) -> list[int]:
    """Return ``numbers`` with those of one group together, groups in order of their first one."""
    groups: dict[Hashable, list[int]] = {}
    for number in numbers:
        groups.setdefault(group(number), []).append(number)
    return [number for members in groups.values() for number in members]
