"""The manifest: document, versions and order of a study when it was begun."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from llem.errors import ExperimentFailed, StorageError, StudyChanged
from llem.results.folder import write_json
from llem.run.host_info import distributions_of, versions_in
from llem.study.axes import leaves
from llem.study.load_study import LoadedStudy
from llem.study.study_plan import StudyPlan
from llem.version import __version__


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
                found |= _installed(distributions_of(backend.info))
                continue
            with suppress(ExperimentFailed):
                there = versions_in(backend, str(python))
                found |= {f"{name} of {python}": known for name, known in there.items()}
    return found


def _installed(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def _changes(
    before: Mapping[str, Any], now: Mapping[str, Any], what: str
) -> Iterator[tuple[str, str, str]]:
    """Yield name, earlier value and present value of everything that differs.

    Args:
        before: Nested values when the study was begun.
        now: Nested values at present.
        what: What they are, such as ``config``.
    """
    earlier, present = dict(leaves(before)), dict(leaves(now))
    for path in dict.fromkeys([*earlier, *present]):
        then, today = (_as_text(values, path) for values in (earlier, present))
        if then != today:
            yield f"{what} {'.'.join(map(str, path))}", then, today


def _as_text(values: Mapping[Any, Any], path: Any) -> str:
    """Return a value as text, or that there is none."""
    return repr(values[path]) if path in values else "absent"


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
        StorageError: The file is not a manifest.
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
        StudyChanged: The study has changed, and that is not accepted.
    """
    found = [
        *_changes(before.document, now.document, "config"),
        *_changes(before.versions, now.versions, "version of"),
    ]
    lines = [f"{name}: was {then}, now {today}" for name, then, today in found]
    if lines and not accept:
        raise StudyChanged(
            f"the study {before.name} has changed since it was begun:\n  " + "\n  ".join(lines),
            hint="Undo the change, start a new study with another --out, or continue with "
            "--accept-drift, which records the change.",
        )
    return lines
