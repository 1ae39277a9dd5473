"""From two sets of outcomes to comparisons: one for each match and metric."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from llem.errors import NotComparable
from llem.report.comparison.comparability import (
    MISMATCH_CODES,
    Mismatch,
    metered_devices,
    mismatches,
)
from llem.report.comparison.inference import (
    Effect,
    Interval,
    bootstrap_interval,
    effect,
    holm,
    repetitions_needed,
    smallest_detectable,
)
from llem.report.comparison.pairing import Match, Samples, matches, samples
from llem.report.load_outcomes import (
    INVALID,
    StoredOutcome,
    outcomes_of,
    split_usable,
    why_unusable,
)
from llem.report.metrics import Metric, gain_ratio
from llem.report.varied_parameters import differing

ALPHA = 0.05
"""Chance of finding a difference, anywhere in one call, where there is none."""

ALLOWABLE_CODES = (*MISMATCH_CODES, INVALID)
"""Codes that a user may allow."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of one match.

    Attributes:
        match: The outcomes of both sides.
        metric: The metric.
        samples: The values of both sides.
        base_mean: Mean of the baseline's values, in the metric's unit.
        new_mean: Mean of the variant's.
        difference: The difference of these means.
        change: Relative effect, of geometric means; ``None`` where a value is not above 0.
        gain_error: Standard error of the logarithm that the sensors' gain adds across devices.
        p: Probability of such a difference if there were none.
        p_holm: The same, corrected for all comparisons of the call.
        smallest_detectable: Smallest effect that would have been detected: a relative increase, or
            in the metric's unit where there is no relative effect.
        repetitions_needed: Values a side that it takes to detect the wanted change.
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
    def effect(self) -> Effect:
        """The relative effect if there is one, else the absolute difference."""
        return self.change or self.difference

    @property
    def bootstrap(self) -> Interval | None:
        """The bootstrap's interval of the same effect, as a second opinion.

        A property, because it takes longer than everything else and is not always shown.
        """
        found = self.samples
        relative = self.change is not None
        return bootstrap_interval(found.base, found.new, paired=found.paired, relative=relative)

    @property
    def found(self) -> bool:
        """Whether a difference was found, corrected for the number of comparisons."""
        return self.p_holm is not None and self.p_holm <= ALPHA


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """The result of one call.

    Attributes:
        comparisons: One for each match and metric, matches in order.
        allowed: The mismatches of the sides, all of them allowed by the user.
        differing: All differences, requested or effective: name, baseline's values, variants'.
        left_out: Ids of outcomes that were not used, with the reason.
        missing: Metrics without values in a match.
        wanted_ratio: The change for which needed repetitions are stated.
    """

    comparisons: tuple[Comparison, ...]
    allowed: tuple[Mismatch, ...]
    differing: tuple[tuple[str, list[Any], list[Any]], ...]
    left_out: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    wanted_ratio: float


def compare(
    base: Sequence[StoredOutcome],
    new: Sequence[StoredOutcome],
    metrics: Sequence[Metric],
    *,
    allow: Collection[str] = (),
    wanted_ratio: float = 0.05,
) -> ComparisonResult:
    """Compare ``new`` with ``base``.

    Args:
        base: Outcomes of the baseline.
        new: Outcomes of the other side; they may be of several variants.
        metrics: The metrics to compare.
        allow: Mismatches to accept, of ``ALLOWABLE_CODES``.
        wanted_ratio: Relative change for which to state the repetitions needed.

    Raises:
        NotComparable: The two sides differ in a respect that is not allowed, or a side has no
            outcome whose figures may be used.
    """
    usable_base, left_out_base = split_usable(base, allow, "baseline")
    usable_new, left_out_new = split_usable(new, allow, "other side")
    found = matches(usable_base, usable_new)
    allowed = _checked(found, allow)
    comparisons, missing = [], []
    for match in found:
        for metric in metrics:
            if (values := samples(match, metric)) is None:
                missing.append(f"{metric.name} of {match.name}")
            else:
                comparisons.append(_compared(match, metric, values))
    return ComparisonResult(
        comparisons=tuple(_corrected(comparisons, wanted_ratio)),
        allowed=allowed,
        differing=tuple(differing(outcomes_of(usable_base), outcomes_of(usable_new))),
        left_out=tuple(
            (outcome.id, why_unusable(outcome))
            for outcome in outcomes_of([*left_out_base, *left_out_new])
        ),
        missing=tuple(missing),
        wanted_ratio=wanted_ratio,
    )


def _compared(match: Match, metric: Metric, values: Samples) -> Comparison:
    base_mean, new_mean = fmean(values.base), fmean(values.new)
    difference = effect(values.base, values.new, paired=values.paired, relative=False)
    change = None
    if min(*values.base, *values.new) > 0:
        change = effect(values.base, values.new, paired=values.paired, relative=True)
    gains = _gain_errors(match) if metric.is_energy else None
    if gains is not None:
        difference = difference.widened(gains[0] * abs(base_mean), gains[1] * abs(new_mean))
        change = change and change.widened(*gains)
    return Comparison(
        match=match,
        metric=metric,
        samples=values,
        base_mean=base_mean,
        new_mean=new_mean,
        difference=difference,
        change=change,
        gain_error=None if gains is None else math.hypot(*gains),
        p=(change or difference).p,
    )


def _corrected(comparisons: Sequence[Comparison], wanted_ratio: float) -> list[Comparison]:
    """Return the comparisons with the attributes that depend on their number."""
    tested = [at for at, comparison in enumerate(comparisons) if comparison.p is not None]
    corrected = holm([comparisons[at].p or 0.0 for at in tested])
    p_holm = dict(zip(tested, corrected, strict=True))
    # The first step of Holm's procedure: an effect below this level is found in any case.
    alpha = ALPHA / max(1, len(tested))
    return [
        replace(
            comparison,
            p_holm=p_holm.get(at),
            smallest_detectable=smallest_detectable(comparison.effect, alpha),
            repetitions_needed=repetitions_needed(
                comparison.samples.base,
                comparison.samples.new,
                wanted_ratio,
                paired=comparison.samples.paired,
                alpha=alpha,
                gain_error=comparison.gain_error or 0.0,
            ),
        )
        for at, comparison in enumerate(comparisons)
    ]


def _gain_errors(match: Match) -> tuple[float, float] | None:
    """Return each side's relative gain error, or ``None`` if both ran on the same devices.

    On the same sensor the error is the same on both sides, and cancels in a comparison.
    """
    base, new = outcomes_of(match.base), outcomes_of(match.new)
    if set(map(metered_devices, base)) == set(map(metered_devices, new)):
        return None
    base_gain = max(gain_ratio(outcome.energy) for outcome in base)
    return base_gain, max(gain_ratio(outcome.energy) for outcome in new)


def _checked(found: Sequence[Match], allow: Collection[str]) -> tuple[Mismatch, ...]:
    """Return the mismatches of the sides.

    Raises:
        NotComparable: A mismatch is not allowed.
    """
    mismatched = dict.fromkeys(
        mismatch
        for match in found
        for mismatch in mismatches(outcomes_of(match.base), outcomes_of(match.new))
    )
    refused = [mismatch for mismatch in mismatched if mismatch.code not in allow]
    if refused:
        codes = dict.fromkeys(mismatch.code for mismatch in refused)
        raise NotComparable(
            "the two sides are not alike:\n"
            + "\n".join(f"  {mismatch.code}: {mismatch.message}" for mismatch in refused),
            hint="Compare outcomes that are alike, or allow the difference: "
            + " ".join(f"--allow {code}" for code in codes),
        )
    return tuple(mismatched)
