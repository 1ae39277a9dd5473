"""A comparison in words: the answer first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from llem.report.comparison.comparison import Comparison, ComparisonResult
from llem.report.comparison.inference import LEAST_FOR_BOOTSTRAP, POWER, Interval
from llem.report.comparison.regression_gate import Judgement
from llem.report.outcome_table import number
from llem.report.varied_parameters import canonical, label

_MOST_VALUES = 4


def conclusion(one: Comparison) -> str:
    """Return what was found about one metric, in one sentence."""
    what = one.metric.label
    if one.p is None:
        few = min(len(one.samples.base), len(one.samples.new))
        return (
            f"{what}: {change(one)}, with no interval: a side has {few} {one.samples.unit}; "
            "run each side at least twice"
        )
    main = one.change or one.difference
    if main.standard_error == 0 and main.estimate == 0:
        return f"{what}: the same, {number(one.base_mean)} {one.metric.unit} every time"
    if one.found:
        better = (one.new_mean < one.base_mean) == (one.metric.better == "lower")
        return f"{what}: {change(one)} ({interval(one)}), {'better' if better else 'worse'}"
    return (
        f"{what}: no difference detectable ({change(one)}, {interval(one)}); "
        f"smallest effect that would have been seen: {detectable(one)}"
    )


def change(one: Comparison) -> str:
    """Return the estimate: relative where it can be, else in the metric's unit."""
    if one.change is not None:
        return percent(one.change.interval().estimate)
    return f"{one.difference.estimate:+.4g} {one.metric.unit}"


def interval(one: Comparison) -> str:
    """Return the 95 % interval of the same."""
    found = (one.change or one.difference).interval()
    return f"95 % in {ends(found, relative=one.change is not None)}"


def ends(found: Interval | None, *, relative: bool) -> str:
    """Return the ends of an interval, or ``-`` where there is none."""
    if found is None or found.low is None or found.high is None:
        return "-"
    if relative:
        return f"{percent(found.low).removesuffix(' %')} … {percent(found.high)}"
    return f"{found.low:+.4g} … {found.high:+.4g}"


def detectable(one: Comparison) -> str:
    """Return the smallest effect that would have been seen."""
    if one.smallest_detectable is None:
        return "-"
    if one.change is None:
        return f"{number(one.smallest_detectable)} {one.metric.unit}"
    shown = 100 * one.smallest_detectable
    return f"{shown:.2g} %" if shown < 100 else f"{shown:,.0f} %"


def needed(one: Comparison) -> str:
    """Return how many values a side would see the wanted change."""
    return "-" if one.repetitions_needed is None else f"{one.repetitions_needed:,}"


def percent(ratio: float) -> str:
    """Return a relative change with its sign."""
    return f"{100 * ratio:+.2f} %" if abs(ratio) < 1 else f"{100 * ratio:+.0f} %"


def probability(p: float | None) -> str:
    """Return a p-value as papers print it."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def held(one: Comparison) -> str:
    """Return the settings that both sides share, or an empty string."""
    return f"at {label(one.match.held)}" if one.match.held else ""


def notes(answer: ComparisonResult) -> Iterator[str]:
    """Yield what a reader must know besides the figures."""
    units = {one.samples.unit for one in answer.comparisons}
    if "repetition" in units:
        yield (
            "one experiment a side, so that its repetitions are the values: what differs from run "
            "to run is not in the intervals; run a study with several repeats to include it"
        )
    if any(one.samples.paired for one in answer.comparisons):
        yield (
            "paired: runs of one block, on the same devices and prompts, belong together; a run "
            "whose partner is missing is not used"
        )
    if any(one.gain_error for one in answer.comparisons):
        yield "the sides ran on different devices, so that their sensors' gain errors are included"
    if any(0 < _fewest(one) < LEAST_FOR_BOOTSTRAP for one in answer.comparisons):
        yield f"fewer than {LEAST_FOR_BOOTSTRAP} values a side: too few to bootstrap"
    tests = sum(one.p is not None for one in answer.comparisons)
    if tests > 1:
        yield f"p-values are corrected (Holm) for {tests} comparisons"
    yield (
        f"“would have been seen” means with a chance of {100 * POWER:g} %; needed is what a side "
        f"takes to see {100 * answer.wanted_ratio:g} % so"
    )
    for respect in answer.allowed:
        yield f"allowed although {respect.code}: {respect.message}"
    for id, why in answer.left_out:
        yield f"left out: {id} ({why})"
    for name in answer.missing:
        yield f"not measured: {name}"


def differences(answer: ComparisonResult) -> Iterator[tuple[str, str, str]]:
    """Yield everything that differs: name, the baseline's values, the other side's."""
    for name, ours, theirs in answer.differing:
        yield name, _values(ours), _values(theirs)


def judgement(one: Judgement) -> str:
    """Return how a limit fared, in one sentence."""
    effect = one.comparison.change if one.limit.relative else one.comparison.difference
    known = None if effect is None else effect.interval()
    found = f"95 % in {ends(known, relative=one.limit.relative)}"
    where = " ".join(filter(None, [one.comparison.match.name, held(one.comparison)]))
    return f"{one.state}: {one.limit} ({change(one.comparison)}, {found}), {where}"


def _fewest(one: Comparison) -> int:
    return min(len(one.samples.base), len(one.samples.new))


def _values(values: list[object]) -> str:
    shown = [value if isinstance(value, str) else canonical(value) for value in values]
    more = f" … ({len(shown)} values)" if len(shown) > _MOST_VALUES else ""
    return " | ".join(shown[:_MOST_VALUES]) + more
