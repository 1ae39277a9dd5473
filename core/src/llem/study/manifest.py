"""What a study was when it was begun: its document, its versions, its order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llem.api.errors import StorageError, StudyChanged
from llem.store.folder import write_json
from llem.study.drift import differences, versions_of
from llem.study.plan import StudyPlan

MANIFEST_FILE = "study.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The study as it was begun.

    Attributes:
        name: Its name.
        document: What its file, flags and overrides said, without secrets.
        versions: Versions that results depend on.
        runs: The ids of its runs, in their order.
        refused: Number of points that were refused, by rule.
    """

    name: str
    document: Mapping[str, Any]
    versions: Mapping[str, str]
    runs: tuple[str, ...]
    refused: Mapping[str, int]

    @classmethod
    def of(cls, plan: StudyPlan) -> Manifest:
        """Return the manifest of a study that begins now."""
        refused: dict[str, int] = {}
        for point in plan.refused:
            refused[point.rule] = refused.get(point.rule, 0) + 1
        runs = tuple(run.id for run in plan.runs())
        study = plan.study
        return cls(study.name, study.document, versions_of(study), runs, refused)

    def write(self, folder: Path) -> None:
        """Store the manifest in the study's folder.

        Raises:
            StorageError: The disk refused.
        """
        try:
            write_json(folder / MANIFEST_FILE, asdict(self))
        except OSError as error:
            raise StorageError(f"cannot write to {folder}: {error.strerror}") from error


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest in a study's folder, or ``None`` if it has none.

    Raises:
        StorageError: It is not one.
    """
    path = folder / MANIFEST_FILE
    try:
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(f"{path} does not describe a study: {error}") from error


def check_unchanged(before: Manifest, now: Manifest, *, accept: bool) -> list[str]:
    """Return what has changed since the study was begun, one line each.

    Raises:
        StudyChanged: Something has, and it is not accepted.
    """
    found = [
        *differences(before.document, now.document, "config"),
        *differences(before.versions, now.versions, "version of"),
    ]
    lines = [f"{name}: was {one}, now {other}" for name, one, other in found]
    if lines and not accept:
        raise StudyChanged(
            f"the study {before.name} is not the one that was begun:\n  " + "\n  ".join(lines),
            hint="Undo the change, begin anew with another --out, or add --accept-drift to go "
            "on and have the change recorded.",
        )
    return lines
