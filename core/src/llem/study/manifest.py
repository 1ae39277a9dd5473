"""The manifest: document, versions and order of a study when it was begun."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llem.errors import ExperimentFailed, StorageError, StudyChanged, os_errors_as
from llem.results.folder import write_json
from llem.results.read_outcomes import read_limited
from llem.run.worker_environment import distributions_of, versions_in
from llem.study.axes import leaves
from llem.study.load_study import LoadedStudy
from llem.study.study_plan import StudyPlan
from llem.version import __version__, installed_versions


def versions_of(study: LoadedStudy) -> dict[str, str]:
    """Return the versions that results depend on: of llem, plugins, and engines.

    Versions of an environment that `runner.python` names come from its interpreter. An interpreter
    that does not answer has none; its runs will say why.
    """
    found = {"llem": __version__}
    for grid in study.grids:
        backend = grid.backend
        found[f"plugin {backend.name}"] = f"{backend.distribution} {backend.version}"
        for python in grid.values_of("runner", "python"):
            if python is None:
                found |= installed_versions(distributions_of(backend.info))
                continue
            with suppress(ExperimentFailed):
                there = versions_in(backend, str(python))
                found |= {f"{name} of {python}": known for name, known in there.items()}
    return found


def _changes(before: Mapping[str, Any], now: Mapping[str, Any], what: str) -> Iterator[str]:
    """Yield a line for every value that differs: its name, what it was and what it is.

    Args:
        before: Nested values when the study was begun.
        now: Nested values at present.
        what: What they are, such as ``config``.
    """
    earlier, present = (
        {path: repr(value) for path, value in leaves(values)} for values in (before, now)
    )
    for path in dict.fromkeys([*earlier, *present]):
        then, today = earlier.get(path, "absent"), present.get(path, "absent")
        if then != today:
            yield f"{what} {'.'.join(map(str, path))}: was {then}, now {today}"


MANIFEST_FILE = "study.json"
_MOST_BYTES = 2**28  # a run is some hundred bytes


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
        refused = dict(Counter(point.rule for point in plan.refused))
        runs = tuple(run.id for run in plan.runs())
        study = plan.study
        return cls(study.name, study.document, versions_of(study), runs, refused)

    def write(self, folder: Path) -> None:
        """Store the manifest in the study's folder.

        Raises:
            StorageError: The disk refused.
        """
        with os_errors_as(StorageError, f"cannot write to {folder}"):
            write_json(folder / MANIFEST_FILE, asdict(self))


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest in a study's folder, or ``None`` if it has none.

    Raises:
        StorageError: The file is not a manifest.
    """
    path = folder / MANIFEST_FILE
    hint = "It is damaged: start a new study with another --out."
    try:
        document = json.loads(read_limited(path, _MOST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise StorageError(f"{path} does not describe a study: {error}", hint=hint) from error
    kinds = {"name": str, "document": dict, "versions": dict, "runs": list, "refused": dict}
    document = document if isinstance(document, dict) else {}
    wrong = [key for key, kind in kinds.items() if not isinstance(document.get(key), kind)]
    if wrong or document.keys() - kinds.keys():
        names = ", ".join(wrong) or "keys of another version"
        raise StorageError(f"{path} does not describe a study: see {names}", hint=hint)
    return Manifest(**document)


def check_unchanged(before: Manifest, now: Manifest, *, accept: bool) -> list[str]:
    """Return what has changed since the study was begun, one line each.

    Raises:
        StudyChanged: The study has changed, and that is not accepted.
    """
    lines = [
        *_changes(before.document, now.document, "config"),
        *_changes(before.versions, now.versions, "version of"),
    ]
    if lines and not accept:
        raise StudyChanged(
            f"the study {before.name} has changed since it was begun:\n  " + "\n  ".join(lines),
            hint="Undo the change, start a new study with another --out, or continue with "
            "--accept-drift, which records the change.",
        )
    return lines
