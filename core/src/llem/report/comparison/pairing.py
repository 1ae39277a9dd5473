"""Which outcomes are set against which: settings that both sides share, and what differs.

Settings that vary within the baseline (batch sizes of a sweep, say) are held equal: each
combination of them is compared by itself. Whatever else varies on the other side makes variants.
So ``nf4`` and ``fp4`` are two variants against one baseline that has no 4-bit settings at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from llem.errors import NotComparable
from llem.report.load_outcomes import Stored
from llem.report.varied_parameters import canonical, label, settings, varying
from llem.schema.outcome import Outcome

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """Outcomes of one baseline and of one variant, alike in what the baseline varies.

    Attributes:
        held: Settings that both sides share, of those that vary within the baseline.
        base_values: What the baseline has where the variant has something else.
        variant: What the variant has there.
        base: Outcomes of the baseline.
        new: Outcomes of the variant.
    """

    held: Values
    base_values: Values
    variant: Values
    base: tuple[Stored, ...]
    new: tuple[Stored, ...]

    @property
    def name(self) -> str:
        """What is compared, on one line."""
        sides = [_measured_by(side[0].outcome) for side in (self.base, self.new)]
        if sides[0] != sides[1]:
            whose = f"{sides[1]}'s figures against those of {sides[0]}"
            return f"{whose} at {label(self.variant)}" if self.variant else whose
        what = label(self.variant) or "the same settings"
        return f"{what} against {label(self.base_values)}" if self.base_values else what


def matches(base: Sequence[Stored], new: Sequence[Stored]) -> list[Match]:
    """Return every pair of baseline and variant that share what the baseline varies.

    Raises:
        NotComparable: Nothing of one side has a counterpart on the other.
    """
    held = varying([one.outcome for one in base])
    ours = _grouped(base, held)
    theirs = _grouped(new, held)
    # Each tool describes its settings in its own words, so that all of them differ between two.
    tools = {_measured_by(one.outcome) for one in (*base, *new)}
    described = new if len(tools) > 1 else (*base, *new)
    free = [path for path in varying([one.outcome for one in described]) if path not in held]
    found = []
    for key, members in ours.items():
        base_values = _values(members[0], free)
        for others in _grouped(theirs.get(key, []), free).values():
            variant = _values(others[0], free)
            differ = [one for one in free if canonical(variant[one]) != canonical(base_values[one])]
            found.append(
                Match(
                    held=_values(members[0], held),
                    base_values={path: base_values[path] for path in differ},
                    variant={path: variant[path] for path in differ},
                    base=tuple(members),
                    new=tuple(others),
                )
            )
    if not found:
        raise NotComparable(
            "no outcome of one side has a counterpart on the other: these settings vary within "
            f"the baseline and have no equal there: {', '.join(held) or 'none'}",
            hint="Choose with --where PARAMETER=VALUE what is compared.",
        )
    return found


def split_by(
    stored: Sequence[Stored], by: str, baseline: str | None
) -> tuple[list[Stored], list[Stored]]:
    """Return the outcomes that have the baseline's value of ``by``, and the others.

    Args:
        stored: Outcomes of one study.
        by: Dotted path of a parameter.
        baseline: Its value there, as YAML; else what is off or unset, else the first.

    Raises:
        NotComparable: The parameter does not vary, or never has that value.
    """
    values = {canonical(settings(one.outcome).get(by)) for one in stored}
    if len(values) < 2:
        others = ", ".join(varying([one.outcome for one in stored])) or "nothing"
        raise NotComparable(f"{by} does not vary here", hint=f"What varies: {others}.")
    wanted = _baseline_value(stored, by) if baseline is None else yaml.safe_load(baseline)
    if canonical(wanted) not in values:
        raise NotComparable(
            f"no outcome has {by} = {canonical(wanted)}",
            hint=f"Its values: {', '.join(sorted(values))}.",
        )
    ours: list[Stored] = []
    theirs: list[Stored] = []
    for one in stored:
        is_base = canonical(settings(one.outcome).get(by)) == canonical(wanted)
        (ours if is_base else theirs).append(one)
    return ours, theirs


def only_varying(stored: Sequence[Stored]) -> str:
    """Return the one parameter that varies.

    Raises:
        NotComparable: None does, or several do.
    """
    found = varying([one.outcome for one in stored])
    if len(found) == 1:
        return found[0]
    what = f"these vary: {', '.join(found)}" if found else "nothing varies"
    raise NotComparable(
        f"one folder alone is compared by a parameter, and {what}",
        hint="Choose one with --by PARAMETER, or name a second folder.",
    )


def where(stored: Sequence[Stored], conditions: Sequence[str]) -> list[Stored]:
    """Return the outcomes that satisfy every ``PARAMETER=VALUE``; the value is YAML.

    What another tool measured satisfies a condition on a setting that the tool does not know.

    Raises:
        NotComparable: A condition has no ``=``, or nothing satisfies them.
    """
    chosen = list(stored)
    for condition in conditions:
        path, equals, text = condition.partition("=")
        if not equals:
            raise NotComparable(f"{condition!r} is not of the form PARAMETER=VALUE")
        wanted = canonical(yaml.safe_load(text))
        chosen = [one for one in chosen if _satisfies(one.outcome, path, wanted)]
    if not chosen:
        raise NotComparable(f"no outcome has {' and '.join(conditions)}")
    return chosen


def _baseline_value(stored: Sequence[Stored], by: str) -> Any:
    values = [settings(one.outcome).get(by) for one in stored]
    return next((value for value in values if value in (None, False)), values[0])


def _satisfies(outcome: Outcome, path: str, wanted: str) -> bool:
    found = settings(outcome)
    if outcome.imported is not None and path not in found:
        return True
    return canonical(found.get(path)) == wanted


def _measured_by(outcome: Outcome) -> str:
    return outcome.imported.tool if outcome.imported else "llem"


def _grouped(stored: Sequence[Stored], paths: Sequence[str]) -> dict[str, list[Stored]]:
    groups: dict[str, list[Stored]] = {}
    for one in stored:
        groups.setdefault(canonical(_values(one, paths)), []).append(one)
    return groups


def _values(stored: Stored, paths: Sequence[str]) -> Values:
    found = settings(stored.outcome)
    return {path: found.get(path) for path in paths}
