"""Read stored outcomes, and select those to use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from llem.errors import NotComparable, StorageError
from llem.report.varied_parameters import canonical, settings, varying
from llem.results import Copies, outcome_folders, read_outcome
from llem.schema.outcome import Outcome

INVALID = "invalid"
"""The code that allows outcomes whose verdict is not valid."""

IMPORTED = "imported"
"""The code that allows results of other tools."""


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """An outcome and its folder."""

    folder: Path
    outcome: Outcome


def read_all(paths: Iterable[Path], copies: Copies | None = None) -> list[StoredOutcome]:
    """Return the outcomes in ``paths``: folders of outcomes, of studies, or of results.

    Args:
        paths: The folders.
        copies: Told which outcomes are copies of others, and left out.

    Raises:
        StorageError: A path holds no outcome, or an unreadable one.
    """
    found: list[StoredOutcome] = []
    for path in paths:
        folders = list(outcome_folders(path))
        if not folders:
            raise StorageError(
                f"there is no outcome in {path}",
                hint="Name the folder of an outcome or of a study, as `llem run` printed it.",
            )
        found += [StoredOutcome(folder, read_outcome(folder)) for folder in folders]
    return without_copies(found, copies)


def without_copies(
    stored: Iterable[StoredOutcome], copies: Copies | None = None
) -> list[StoredOutcome]:
    """Return each outcome once, wherever it is stored; ``copies`` is told of the others."""
    copies = copies or Copies()
    return [
        item
        for item in stored
        if copies.is_new(item.folder, item.outcome.id, item.outcome.environment.started_at)
    ]


def outcomes_of(stored: Iterable[StoredOutcome]) -> list[Outcome]:
    """Return the outcomes without their folders."""
    return [item.outcome for item in stored]


def split_usable(
    stored: Sequence[StoredOutcome], allow: Collection[str], side: str
) -> tuple[list[StoredOutcome], list[StoredOutcome]]:
    """Return the outcomes whose figures may be used, and the others.

    Args:
        stored: Outcomes.
        allow: ``invalid`` to use figures of invalid outcomes, ``imported`` to use those of other
            tools.
        side: Name of these outcomes in a message.

    Raises:
        NotComparable: There is no outcome whose figures may be used.
    """
    usable: list[StoredOutcome] = []
    left_out: list[StoredOutcome] = []
    for item in stored:
        needed = IMPORTED if item.outcome.imported else INVALID
        is_usable = item.outcome.status == "done" and (
            needed in allow or item.outcome.verdict.valid
        )
        (usable if is_usable else left_out).append(item)
    if not usable:
        outcomes = outcomes_of(left_out)
        lines = "\n".join(f"  {outcome.id}: {why_unusable(outcome)}" for outcome in outcomes[:5])
        code = IMPORTED if all(outcome.imported for outcome in outcomes) else INVALID
        raise NotComparable(
            f"no outcome of the {side} may be used:\n{lines}",
            hint=f"Measure again, or use the figures all the same: --allow {code}",
        )
    return usable, left_out


def why_unusable(outcome: Outcome) -> str:
    """Return the status of a run that did not end well, else the codes of its reasons."""
    if outcome.status != "done":
        return outcome.status
    return ", ".join(dict.fromkeys(reason.code for reason in outcome.verdict.reasons))


def with_settings(
    stored: Sequence[StoredOutcome], conditions: Sequence[str]
) -> list[StoredOutcome]:
    """Return the outcomes that satisfy every ``PARAMETER=VALUE``; the value is YAML.

    An imported result satisfies every condition on a setting that it does not state.

    Raises:
        NotComparable: A condition has no ``=``, or no outcome satisfies them.
    """
    selected = list(stored)
    for condition in conditions:
        path, equals, text = condition.partition("=")
        if not equals:
            raise NotComparable(f"{condition!r} is not of the form PARAMETER=VALUE")
        wanted = canonical(yaml.safe_load(text))
        selected = [item for item in selected if _satisfies(item.outcome, path, wanted)]
    if not selected:
        raise NotComparable(f"no outcome has {' and '.join(conditions)}")
    return selected


def _satisfies(outcome: Outcome, path: str, wanted: str) -> bool:
    found = settings(outcome)
    if outcome.imported is not None and path not in found:
        return True
    return canonical(found.get(path)) == wanted


def split_by(
    stored: Sequence[StoredOutcome], parameter: str, baseline: str | None
) -> tuple[list[StoredOutcome], list[StoredOutcome]]:
    """Return the outcomes that have the baseline's value of ``parameter``, and the others.

    Args:
        stored: Outcomes of one study.
        parameter: Dotted path.
        baseline: The baseline's value as YAML; by default a value that is unset or off, else the
            first value.

    Raises:
        NotComparable: The parameter does not vary, or never has that value.
    """
    values = [settings(item.outcome).get(parameter) for item in stored]
    texts = [canonical(value) for value in values]
    if len(set(texts)) < 2:
        others = ", ".join(varying(outcomes_of(stored))) or "nothing"
        raise NotComparable(f"{parameter} does not vary here", hint=f"What varies: {others}.")
    if baseline is None:
        wanted = next((value for value in values if value in (None, False)), values[0])
    else:
        wanted = yaml.safe_load(baseline)
    if canonical(wanted) not in texts:
        raise NotComparable(
            f"no outcome has {parameter} = {canonical(wanted)}",
            hint=f"Its values: {', '.join(sorted(set(texts)))}.",
        )
    base: list[StoredOutcome] = []
    new: list[StoredOutcome] = []
    for item, text in zip(stored, texts, strict=True):
        (base if text == canonical(wanted) else new).append(item)
    return base, new


def only_varying(stored: Sequence[StoredOutcome]) -> str:
    """Return the parameter that varies, if there is exactly one.

    Raises:
        NotComparable: No parameter varies, or several do.
    """
    found = varying(outcomes_of(stored))
    if len(found) == 1:
        return found[0]
    what = f"these vary: {', '.join(found)}" if found else "nothing varies"
    raise NotComparable(
        f"one folder alone is compared by a parameter, and {what}",
        hint="Choose a parameter with --by PARAMETER, or name a second folder.",
    )
