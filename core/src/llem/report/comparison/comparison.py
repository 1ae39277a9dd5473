"""From two sets of outcomes to answers: one comparison for each match and metric."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llem.errors import NotComparable
from llem.report.comparison.comparability import ALLOWED, Mismatch, metered_devices, mismatches
from llem.report.comparison.inference import (
    Effect,
    Interval,
    bootstrap_interval,
    effect,
    holm,
    repetitions_needed,
    smallest_detectable,
)
from llem.report.comparison.pairing import Match, matches
from llem.report.comparison.samples import Samples, samples
from llem.report.load_outcomes import IMPORTED, INVALID, Stored, split_usable
from llem.report.metrics import Metric
from llem.report.varied_parameters import differing
from llem.schema.outcome import Outcome

ALPHA = 0.05
"""Chance of finding a difference, anywhere in one call, where there is none."""

EVERY_CODE = (*ALLOWED, INVALID)
"""Codes that a user may allow."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of one match.

    Attributes:
        match: What is compared.
        metric: The metric.
        samples: The values it rests on.
        base_mean: Mean of the baseline's values, in the metric's unit.
        new_mean: Mean of the variant's.
        difference: The difference of these means.
        change: Relative effect, of geometric means; ``None`` where a value is not above 0.
        gain_error: Standard error of the logarithm that the sensors' gain adds across devices.
        p: Probability of such a difference if there were none.
        p_holm: The same, corrected for all comparisons of the call.
        smallest_detectable: Smallest effect that would have been seen: a relative increase, or in
            the metric's unit where there is no relative effect.
        repetitions_needed: Values a side that it takes to see the wanted change.
    """

    match: Match
    metric: Metric
    samples: Samples
    base_mean: float
    new_mean: float
    difference: Effect
    change: Effect | None
    gain_error: float | None
    p: float | None
    p_holm: float | None = None
    smallest_detectable: float | None = None
    repetitions_needed: int | None = None

    @property
    def bootstrap(self) -> Interval | None:
        """The bootstrap's interval of the change (or difference), as a second opinion.

        It takes longer than everything else, so that it is computed for who asks.
        """
        found, relative = self.samples, self.change is not None
        return bootstrap_interval(found.base, found.new, paired=found.paired, relative=relative)

    @property
    def found(self) -> bool:
        """Whether a difference was found, corrected for how many were looked for."""
        return self.p_holm is not None and self.p_holm <= ALPHA


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """Everything that a call of the comparison has to say.

    Attributes:
        comparisons: One for each match and metric, matches in order.
        allowed: In what respects the sides are not alike, as the user allowed.
        differing: Everything that differs, asked for or in force: name, baseline's, variants'.
        left_out: Outcomes that were not used, with the reason.
        missing: Metrics that a match has no values of.
        wanted_ratio: The change for which needed repetitions are stated.
    """

    comparisons: tuple[Comparison, ...]
    allowed: tuple[Mismatch, ...]
    differing: tuple[tuple[str, list[Any], list[Any]], ...]
    left_out: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    wanted_ratio: float


def compare(
    base: Sequence[Stored],
    new: Sequence[Stored],
    metrics: Sequence[Metric],
    *,
    allow: Collection[str] = (),
    wanted_ratio: float = 0.05,
) -> ComparisonResult:
    """Compare ``new`` with ``base``.

    Args:
        base: Outcomes of the baseline.
        new: Outcomes of the other side; they may be of several variants.
        metrics: What to compare.
        allow: Codes of what may be unlike, of ``EVERY_CODE``.
        wanted_ratio: Relative change for which to state the repetitions needed.

    Raises:
        NotComparable: The two sides are not alike in a respect that is not allowed, or a side has no
            outcome whose figures may be used.
    """
    usable_base, left_base = split_usable(base, allow)
    usable_new, left_new = split_usable(new, allow)
    left_out = tuple((one.outcome.id, _why_not(one.outcome)) for one in (*left_base, *left_new))
    for side, usable, left in (
        ("baseline", usable_base, left_base),
        ("other side", usable_new, left_new),
    ):
        if not usable:
            raise _nothing_usable(left, side)
    found = matches(usable_base, usable_new)
    allowed = _checked(found, allow)
    comparisons, missing = [], []
    for match in found:
        for metric in metrics:
            comparison = _compared(match, metric)
            if comparison is None:
                missing.append(f"{metric.name} of {match.name}")
            else:
                comparisons.append(comparison)
    return ComparisonResult(
        comparisons=tuple(_corrected(comparisons, wanted_ratio)),
        allowed=allowed,
        differing=tuple(
            differing([one.outcome for one in usable_base], [one.outcome for one in usable_new])
        ),
        left_out=left_out,
        missing=tuple(missing),
        wanted_ratio=wanted_ratio,
    )


def _compared(match: Match, metric: Metric) -> Comparison | None:
    found = samples(match, metric)
    if found is None:
        return None
    relative = min(*found.base, *found.new) > 0
    main = effect(found.base, found.new, paired=found.paired, relative=relative)
    difference = effect(found.base, found.new, paired=found.paired, relative=False)
    base_mean, new_mean = (math.fsum(side) / len(side) for side in (found.base, found.new))
    gains = _gain_errors(match) if metric.is_energy else None
    if gains is not None:
        ours, theirs = gains
        difference = difference.widened(ours * abs(base_mean), theirs * abs(new_mean))
        main = main.widened(ours, theirs) if relative else difference
    return Comparison(
        match=match,
        metric=metric,
        samples=found,
        base_mean=base_mean,
        new_mean=new_mean,
        difference=difference,
        change=main if relative else None,
        gain_error=None if gains is None else math.hypot(*gains),
        p=main.p,
    )


def _corrected(comparisons: Sequence[Comparison], wanted_ratio: float) -> list[Comparison]:
    """Return the comparisons with what depends on how many there are."""
    tested = [at for at, one in enumerate(comparisons) if one.p is not None]
    corrected = holm([comparisons[at].p or 0.0 for at in tested])
    p_holm = dict(zip(tested, corrected, strict=True))
    # The first step of Holm's procedure: what is seen at this level is seen whatever the rest is.
    alpha = ALPHA / max(1, len(tested))
    return [
        replace(
            one,
            p_holm=p_holm.get(at),
            smallest_detectable=smallest_detectable(one.change or one.difference, alpha),
            repetitions_needed=repetitions_needed(
                one.samples.base,
                one.samples.new,
                wanted_ratio,
                paired=one.samples.paired,
                alpha=alpha,
                gain_error=one.gain_error or 0.0,
            ),
        )
        for at, one in enumerate(comparisons)
    ]


def _gain_errors(match: Match) -> tuple[float, float] | None:
    """Return each side's relative gain error, or ``None`` if both ran on the same devices.

    On the same sensor the error is the same on both sides, and cancels in a comparison.
    """
    sides = [[one.outcome for one in side] for side in (match.base, match.new)]
    devices = [{metered_devices(outcome) for outcome in side} for side in sides]
    if devices[0] == devices[1]:
        return None
    ours, theirs = (max(map(_gain_error, side)) for side in sides)
    return ours, theirs


def _gain_error(outcome: Outcome) -> float:
    energy = outcome.energy
    if energy is None or not energy.gross_j or energy.gain_uncertainty_j is None:
        return 0.0
    return energy.gain_uncertainty_j / energy.gross_j


def _checked(found: Sequence[Match], allow: Collection[str]) -> tuple[Mismatch, ...]:
    """Return in what the sides are not alike, all of it allowed.

    Raises:
        NotComparable: Something is not.
    """
    respects = dict.fromkeys(
        respect
        for match in found
        for respect in mismatches(
            [one.outcome for one in match.base], [one.outcome for one in match.new]
        )
    )
    refused = [respect for respect in respects if respect.code not in allow]
    if refused:
        codes = dict.fromkeys(respect.code for respect in refused)
        raise NotComparable(
            "the two sides are not alike:\n"
            + "\n".join(f"  {respect.code}: {respect.message}" for respect in refused),
            hint="Compare what is alike, or allow it: "
            + " ".join(f"--allow {code}" for code in codes),
        )
    return tuple(respects)


def _nothing_usable(left_out: Sequence[Stored], side: str) -> NotComparable:
    outcomes = [one.outcome for one in left_out]
    lines = "\n".join(f"  {one.id}: {_why_not(one)}" for one in outcomes[:5])
    code = IMPORTED if all(one.imported for one in outcomes) else INVALID
    return NotComparable(
        f"no outcome of the {side} may be used:\n{lines}",
        hint=f"Measure it again, or use the figures all the same: --allow {code}",
    )


def _why_not(outcome: Outcome) -> str:
    if outcome.status != "done":
        return outcome.status
    return ", ".join(dict.fromkeys(reason.code for reason in outcome.verdict.reasons))
