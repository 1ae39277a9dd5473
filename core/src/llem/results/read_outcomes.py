"""Read stored outcomes of this and of older schema versions."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from llem.errors import StorageError, are, shown
from llem.results.folder import OUTCOME_FILE
from llem.schema.outcome import Outcome

SCHEMA_VERSION = 3
"""The version that llem writes."""

MOST_BYTES = 64 * 2**20
"""A larger file is no outcome: those of long studies have a few hundred kilobytes."""

Document = dict[str, Any]


class UnknownSchema(ValueError):
    """The version of a document is newer than this llem, or missing."""


def upgraded(document: Document) -> Document:
    """Return ``document``, whole or a part of it, in the present version.

    Raises:
        UnknownSchema: Its version is newer, or missing.
    """
    version = document.get("schema_version")
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        raise UnknownSchema(
            f"its schema version is {shown(version)}; this llem reads 1 to {SCHEMA_VERSION}"
        )
    for step in range(version, SCHEMA_VERSION):
        document = {**_UPGRADES[step](document), "schema_version": step + 1}
    return document


def _out_of_memory_is_a_status(document: Document) -> Document:
    """Version 2 made running out of memory a status of its own."""
    failure = document.get("failure") or {}
    if failure.get("code") != "out-of-memory":
        return document
    return {**document, "status": "out-of-memory"}


_RENAMED = {
    "": {"self_cost": "overhead"},
    "study": {"study": "name", "run": "run_id"},
    "imported": {"figures": "metrics"},
    "timing": {
        "spawn_s": "worker_start_s",
        "ended_by": "stop_reason",
        "precision_of": "ci_metric",
        "precision_ratio": "ci_ratio",
    },
    "timing.repetitions": {"started_s": "start_monotonic_s"},
    "energy": {},
    "energy.devices": {"id": "device"},
    "energy.conditions": {"looks": "samples"},
    "experiment": {},
    "experiment.measurement": {"limits": "thresholds"},
    "experiment.measurement.thresholds": {"accept": "allow"},
}
"""New names of keys in version 3, by the dotted path of their section, or of each list item."""

_POINT_KEYS = (
    ("measurement.limits.accept", "measurement.thresholds.allow"),
    ("measurement.limits", "measurement.thresholds"),
)
"""A study's points name a parameter by its dotted path in the config."""


def _renamed_keys(document: Document) -> Document:
    """Version 3 renamed keys, and left emissions and cost to the report."""
    new: Document = _renamed(document, "")
    for section in (new, new.get("experiment")):
        if isinstance(section, dict):
            section.pop("footprint", None)
    if points := (new.get("study") or {}).get("points"):
        new["study"]["points"] = [
            {_renamed_path(path): value for path, value in point.items()} for point in points
        ]
    return new


def _renamed(value: Any, path: str) -> Any:
    if path not in _RENAMED:
        return value
    if isinstance(value, list):
        return [_renamed(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    names = ((_RENAMED[path].get(key, key), item) for key, item in value.items())
    return {name: _renamed(item, f"{path}.{name}".lstrip(".")) for name, item in names}


def _renamed_path(path: str) -> str:
    for old, new in _POINT_KEYS:
        if path == old or path.startswith(f"{old}."):
            return new + path.removeprefix(old)
    return path


_UPGRADES: dict[int, Callable[[Document], Document]] = {
    1: _out_of_memory_is_a_status,
    2: _renamed_keys,
}
"""What turns a document of each version into the next version."""


def read_outcome(folder: Path) -> Outcome:
    """Return the outcome stored in ``folder``.

    Raises:
        StorageError: The document is missing or has another form.
    """
    document = read_document(folder)
    try:
        return Outcome.model_validate(document)
    except ValidationError as error:
        raise _unreadable(folder, error) from error


def read_document(folder: Path) -> dict[str, Any]:
    """Return the outcome stored in ``folder`` as JSON data of the present version.

    Raises:
        StorageError: The document is missing, or no outcome of a readable version.
    """
    path = folder / OUTCOME_FILE
    try:
        document = json.loads(read_limited(path, MOST_BYTES))
        if not isinstance(document, dict):
            raise UnknownSchema("it is not an object")
        return upgraded(document)
    except FileNotFoundError:
        raise StorageError(f"{folder} holds no {OUTCOME_FILE}") from None
    except RecursionError:
        raise _unreadable(folder, "it is nested too deeply") from None
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error


def read_limited(path: Path, most_bytes: int, *, regular: bool = True) -> bytes:
    """Return the content of a file, whatever lies at its path.

    Args:
        path: The file.
        most_bytes: Size from which a file is refused.
        regular: Whether a pipe or device is refused.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is too large, or no regular file.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer that may never come.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if regular and not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is no regular file")
        os.set_blocking(handle, True)
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it is larger than {most_bytes // 2**20} MiB")
    return content


class Copies:
    """Tells an outcome from a copy of an outcome that was seen before.

    The id and the time of its start identify an outcome, wherever it is stored: counted twice, one
    measurement would look like two that agree.

    Attributes:
        folders: Folders of the copies.
    """

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self._seen: set[tuple[str, str | None]] = set()

    def is_new(self, folder: Path, id: str, started_at: str | None) -> bool:
        """Whether this outcome was not seen before; remember it, or its folder."""
        if (id, started_at) in self._seen:
            self.folders.append(folder)
            return False
        self._seen.add((id, started_at))
        return True

    def __str__(self) -> str:
        number = len(self.folders)
        what = "1 copy of an outcome" if number == 1 else f"{number:,} copies of outcomes"
        return f"{what} {are(number)} left out: {', '.join(map(str, self.folders))}"


def outcome_folders(path: Path) -> Iterator[Path]:
    """Yield every folder with an outcome: ``path`` itself, those in it, and those of studies.

    Links inside ``path`` are not followed: what they name is counted where it is.

    Raises:
        StorageError: There is no such folder.
    """
    if (path / OUTCOME_FILE).is_file():
        yield path
        return
    if not path.is_dir():
        raise StorageError(f"there is no folder {path}", hint="Name the folder given as --out.")
    for child in _folders(path):
        if (child / OUTCOME_FILE).is_file():
            yield child
        else:
            yield from (folder for folder in _folders(child) if (folder / OUTCOME_FILE).is_file())


def _folders(path: Path) -> list[Path]:
    """Return the visible folders in ``path``; hidden folders are incomplete."""
    return sorted(
        child
        for child in path.iterdir()
        if child.name[0] != "." and child.is_dir() and not child.is_symlink()
    )


def _unreadable(folder: Path, error: Exception | str) -> StorageError:
    return StorageError(f"{folder / OUTCOME_FILE} is not a readable outcome: {error}")
