"""The values that a comparison rests on, and what one of them is: the unit of replication.

Repetitions within one experiment share its loaded model, its memory layout and its warm-up. Where
an experiment was run several times, those runs are the replicates and a run counts as one value;
taking all their repetitions for independent would claim more than is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llem.report.comparison.comparability import metered_devices
from llem.report.comparison.pairing import Match
from llem.report.load_outcomes import Stored
from llem.report.metrics import Metric
from llem.schema.outcome import Outcome

Unit = Literal["experiment", "repetition"]


@dataclass(frozen=True, slots=True)
class Samples:
    """Values of both sides.

    Attributes:
        base: Values of the baseline.
        new: Values of the variant; in the order of ``base`` if paired.
        unit: What one value is.
        paired: Whether each value of one side belongs to one of the other.
    """

    base: tuple[float, ...]
    new: tuple[float, ...]
    unit: Unit
    paired: bool = False


def samples(match: Match, metric: Metric) -> Samples | None:
    """Return the values of ``metric``, or ``None`` where a side has none.

    Pairs are runs of one study in the same block, on the same devices and prompts. The same study
    run twice is two studies, each in a folder of its own.
    """
    base = [one.outcome for one in match.base]
    new = [one.outcome for one in match.new]
    if len(base) == len(new) == 1 and metric.each is not None:
        ours, theirs = metric.repetitions(base[0]), metric.repetitions(new[0])
        if ours and theirs:
            return Samples(tuple(ours), tuple(theirs), "repetition")
    pairs = _pairs(match.base, match.new)
    if pairs:
        base, new = [one for one, _ in pairs], [other for _, other in pairs]
    ours, theirs = _known(base, metric), _known(new, metric)
    if not ours or not theirs:
        return None
    is_paired = bool(pairs) and len(ours) == len(theirs) == len(pairs)
    return Samples(tuple(ours), tuple(theirs), "experiment", is_paired)


def _known(outcomes: Sequence[Outcome], metric: Metric) -> list[float]:
    values = [metric.of(outcome) for outcome in outcomes]
    return [value for value in values if value is not None]


def _pairs(base: Sequence[Stored], new: Sequence[Stored]) -> list[tuple[Outcome, Outcome]]:
    """Return the pairs of the design; empty if there are none, or a single one.

    A run whose partner is missing (it failed, or is not valid) is in no pair.
    """
    ours, theirs = _by_block(base), _by_block(new)
    if len(ours) != len(base) or len(theirs) != len(new):
        return []  # several runs in one block, or runs of no study
    pairs = [(ours[key], theirs[key]) for key in ours if key in theirs]
    return pairs if len(pairs) > 1 else []


def _by_block(stored: Sequence[Stored]) -> dict[tuple[object, ...], Outcome]:
    return {
        (
            folder.resolve().parent,
            outcome.study.name,
            outcome.study.block,
            metered_devices(outcome),
            outcome.workload.input_ids_sha256 if outcome.workload else None,
        ): outcome
        for folder, outcome in ((one.folder, one.outcome) for one in stored)
        if outcome.study is not None
    }
