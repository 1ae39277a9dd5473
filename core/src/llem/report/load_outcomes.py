"""Outcomes together with where they are stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from llem.errors import StorageError
from llem.results import outcome_folders, read_outcome
from llem.schema.outcome import Outcome

INVALID = "invalid"
"""The code that lets outcomes be used whose verdict is not valid."""

IMPORTED = "imported"
"""The code that lets figures of other tools be used."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An outcome and its folder."""

    folder: Path
    outcome: Outcome


def read_all(paths: Iterable[Path]) -> list[Stored]:
    """Return the outcomes in ``paths``: folders of outcomes, of studies, or of results.

    Raises:
        StorageError: A path holds none, or one that cannot be read.
    """
    found: list[Stored] = []
    for path in paths:
        folders = list(outcome_folders(path))
        if not folders:
            raise StorageError(
                f"there is no outcome in {path}",
                hint="Name the folder of an outcome or of a study, as `llem run` printed it.",
            )
        found += [Stored(folder, read_outcome(folder)) for folder in folders]
    return found


def split_usable(
    stored: Sequence[Stored], allow: Collection[str]
) -> tuple[list[Stored], list[Stored]]:
    """Return the outcomes whose figures may be used, and the others.

    Args:
        stored: Outcomes.
        allow: ``invalid`` to use figures although the verdict speaks against it, ``imported`` to
            use those of other tools.
    """
    usable: list[Stored] = []
    left_out: list[Stored] = []
    for one in stored:
        outcome = one.outcome
        needed = IMPORTED if outcome.imported else INVALID
        good = outcome.status == "done" and (needed in allow or outcome.verdict.valid)
        (usable if good else left_out).append(one)
    return usable, left_out
