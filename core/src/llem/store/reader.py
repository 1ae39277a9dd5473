"""Read stored outcomes back, those of older versions included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from llem.api.errors import StorageError
from llem.api.outcome import Outcome
from llem.store.folder import OUTCOME_FILE
from llem.store.schema import UnknownSchema, upgraded


def read_outcome(folder: Path) -> Outcome:
    """Return the outcome stored in ``folder``.

    Raises:
        StorageError: There is none, or it does not have the documented form.
    """
    document = read_document(folder)
    try:
        return Outcome.model_validate(document)
    except ValidationError as error:
        raise _unreadable(folder, error) from error


def read_document(folder: Path) -> dict[str, Any]:
    """Return the outcome stored in ``folder`` as JSON data of the present version.

    Raises:
        StorageError: There is none, or it is no outcome of a version that can be read.
    """
    path = folder / OUTCOME_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            raise UnknownSchema("it is not an object")
        return upgraded(document)
    except FileNotFoundError:
        raise StorageError(f"{folder} holds no {OUTCOME_FILE}") from None
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error


def outcome_folders(path: Path) -> Iterator[Path]:
    """Yield every folder with an outcome: ``path`` itself, those in it, and those of studies.

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
            yield from (one for one in _folders(child) if (one / OUTCOME_FILE).is_file())


def _folders(path: Path) -> list[Path]:
    """Return the visible folders in ``path``; hidden ones are not complete yet."""
    return sorted(one for one in path.iterdir() if one.name[0] != "." and one.is_dir())


def _unreadable(folder: Path, error: Exception) -> StorageError:
    return StorageError(f"{folder / OUTCOME_FILE} is not a readable outcome: {error}")
