"""Which outcomes are compared with which, and the values that each side contributes.

Settings that vary within the baseline (batch sizes of a sweep, say) are held equal: each
combination of them is compared by itself. Other settings that vary on the other side make
variants. So ``nf4`` and ``fp4`` are two variants against one baseline without 4-bit settings.

A value is a run where an experiment ran several times, else a repetition. Repetitions of one run
share its loaded model, its memory layout and its warm-up; to take those of several runs for
independent values would claim more than is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llem.errors import NotComparable
from llem.report.comparison.comparability import metered_devices
from llem.report.load_outcomes import StoredOutcome, outcomes_of
from llem.report.metrics import Metric
from llem.report.varied_parameters import canonical, grouped, label, settings_at, varying
from llem.schema.outcome import Outcome

Values = dict[str, Any]
"""Settings by dotted path."""


@dataclass(frozen=True, slots=True)
class Match:
    """Outcomes of the baseline and of one variant, equal in what the baseline varies.

    Attributes:
        held: The settings that vary within the baseline; both sides share them.
        base_values: The baseline's values of the settings in which the variant differs.
        variant: The variant's values of the same settings.
        base: Outcomes of the baseline.
        new: Outcomes of the variant.
    """

    held: Values
    base_values: Values
    variant: Values
    base: tuple[StoredOutcome, ...]
    new: tuple[StoredOutcome, ...]

    @property
    def name(self) -> str:
        """What is compared, on one line."""
        base_tool, new_tool = (_measured_by(side[0].outcome) for side in (self.base, self.new))
        if base_tool != new_tool:
            name = f"{new_tool}'s figures against those of {base_tool}"
            return f"{name} at {label(self.variant)}" if self.variant else name
        name = label(self.variant) or "the same settings"
        return f"{name} against {label(self.base_values)}" if self.base_values else name

    @property
    def title(self) -> str:
        """The name, and the settings that are held equal."""
        return f"{self.name} at {label(self.held)}" if self.held else self.name


def matches(base: Sequence[StoredOutcome], new: Sequence[StoredOutcome]) -> list[Match]:
    """Return every match of a group of the baseline with a variant.

    Raises:
        NotComparable: No outcome of one side has a counterpart on the other.
    """
    held = varying(outcomes_of(base))
    others = _with_equal(held, new)
    # Each tool names its settings in its own way, so between two tools all of them differ.
    tools = {_measured_by(item.outcome) for item in (*base, *new)}
    described = new if len(tools) > 1 else (*base, *new)
    free = [path for path in varying(outcomes_of(described)) if path not in held]
    found = []
    for key, group in _with_equal(held, base).items():
        base_values = settings_at(group[0].outcome, free)
        for members in _with_equal(free, others.get(key, [])).values():
            variant = settings_at(members[0].outcome, free)
            differ = [
                path for path in free if canonical(variant[path]) != canonical(base_values[path])
            ]
            found.append(
                Match(
                    held=settings_at(group[0].outcome, held),
                    base_values={path: base_values[path] for path in differ},
                    variant={path: variant[path] for path in differ},
                    base=tuple(group),
                    new=tuple(members),
                )
            )
    if not found:
        raise NotComparable(
            "no outcome of one side has a counterpart on the other: these settings vary within "
            f"the baseline and have no equal there: {', '.join(held) or 'none'}",
            hint="Select with --where PARAMETER=VALUE what is compared.",
        )
    return found


def _measured_by(outcome: Outcome) -> str:
    return outcome.imported.tool if outcome.imported else "llem"


def _with_equal(
    paths: Sequence[str], stored: Sequence[StoredOutcome]
) -> dict[str, list[StoredOutcome]]:
    """Group outcomes by their values of some settings."""
    return grouped(stored, lambda item: canonical(settings_at(item.outcome, paths)))


@dataclass(frozen=True, slots=True)
class Samples:
    """The values of both sides.

    Attributes:
        base: Values of the baseline.
        new: Values of the variant; in the order of ``base`` if paired.
        unit: The unit of replication: what one value is.
        paired: Whether each value of one side belongs to one of the other.
    """

    base: tuple[float, ...]
    new: tuple[float, ...]
    unit: Literal["experiment", "repetition"]
    paired: bool = False

    @property
    def smaller_count(self) -> int:
        """The number of values of the side that has fewer."""
        return min(len(self.base), len(self.new))


def samples(match: Match, metric: Metric) -> Samples | None:
    """Return the values of ``metric``, or ``None`` if a side has none.

    Pairs are runs of one study in the same block, on the same devices and prompts. The same study
    run twice is two studies, each in its own folder.
    """
    base, new = outcomes_of(match.base), outcomes_of(match.new)
    if len(base) == len(new) == 1:
        before, after = metric.repetitions(base[0]), metric.repetitions(new[0])
        if before and after:
            return Samples(tuple(before), tuple(after), "repetition")
    pairs = _pairs(match.base, match.new)
    if pairs:
        base, new = [first for first, _ in pairs], [second for _, second in pairs]
    before, after = _known(base, metric), _known(new, metric)
    if not before or not after:
        return None
    is_paired = bool(pairs) and len(before) == len(after) == len(pairs)
    return Samples(tuple(before), tuple(after), "experiment", is_paired)


def _known(outcomes: Sequence[Outcome], metric: Metric) -> list[float]:
    values = [metric.of(outcome) for outcome in outcomes]
    return [value for value in values if value is not None]


def _pairs(
    base: Sequence[StoredOutcome], new: Sequence[StoredOutcome]
) -> list[tuple[Outcome, Outcome]]:
    """Return the pairs of the study's design; empty if there are fewer than two.

    A run whose partner is missing (it failed, or is not valid) is in no pair.
    """
    before, after = _by_block(base), _by_block(new)
    if len(before) != len(base) or len(after) != len(new):
        return []  # several runs in one block, or runs outside a study
    pairs = [(before[key], after[key]) for key in before if key in after]
    return pairs if len(pairs) > 1 else []


def _by_block(stored: Sequence[StoredOutcome]) -> dict[tuple[object, ...], Outcome]:
    return {
        (
            item.folder.resolve().parent,
            item.outcome.study.name,
            item.outcome.study.block,
            metered_devices(item.outcome),
            item.outcome.workload.input_ids_sha256 if item.outcome.workload else None,
        ): item.outcome
        for item in stored
        if item.outcome.study is not None
    }
