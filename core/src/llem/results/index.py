"""A summary of every outcome, so that listing thousands does not read them all.

The index is a convenience: it is compared with the folders each time, by size and time of the
outcomes, and whatever does not fit is read anew. Deleting it loses nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llem.errors import StorageError
from llem.results.folder import OUTCOME_FILE, write_json
from llem.results.read_outcomes import read_document

INDEX_FILE = ".index.json"
INDEX_VERSION = 1


@dataclass(frozen=True, slots=True)
class Summary:
    """What a listing says about an outcome.

    Attributes:
        id: Its id.
        study: Its study, or empty.
        position: Its place in the order of its study, from 0.
        settings: What tells it apart in its study.
        status: How it ended; ``unreadable`` if it cannot be read.
        valid: Whether its figures may be used.
        backend: The backend that ran it.
        model: The model.
        output_tokens_per_s: Speed.
        j_per_output_token: Gross energy.
        started_at: When it was started, in UTC.
        folder: Its folder, below that of the index.
    """

    id: str
    study: str
    position: int
    settings: Mapping[str, Any]
    status: str
    valid: bool
    backend: str
    model: str
    output_tokens_per_s: float | None
    j_per_output_token: float | None
    started_at: str
    folder: str


def summaries(results: Path) -> list[Summary]:
    """Return a summary of every outcome in ``results``, by study and place in its order.

    Raises:
        StorageError: There is no such folder.
    """
    if not results.is_dir():
        raise StorageError(f"there is no folder {results}", hint="Name the folder given as --out.")
    known = _read_index(results)
    found: dict[str, list[Any]] = {}
    for folder, stamp in sorted(_stamps(results)):
        entry = known.get(folder)
        if entry is None or entry[0] != stamp:
            entry = [stamp, asdict(_summary(results, folder))]
        found[folder] = entry
    if found != known:
        # Somebody else's results may be read-only; a listing needs no index.
        with suppress(OSError):
            write_json(results / INDEX_FILE, {"version": INDEX_VERSION, "outcomes": found})
    return sorted(
        (Summary(**summary) for _, summary in found.values()),
        key=lambda one: (one.study, one.position, one.folder),
    )


def _read_index(results: Path) -> dict[str, list[Any]]:
    try:
        document = json.loads((results / INDEX_FILE).read_text(encoding="utf-8"))
        known: dict[str, list[Any]] = document["outcomes"]
        names = set(Summary.__slots__)
        fits = document["version"] == INDEX_VERSION and all(
            len(entry) == 2 and entry[1].keys() == names for entry in known.values()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return known if fits else {}


def _stamps(results: Path) -> Iterator[tuple[str, list[int]]]:
    """Yield each outcome's folder, one or two levels down, with size and time of its document."""
    for name in _visible(results):
        own = _stamp(results / name)
        if own is not None:
            yield name, own
            continue
        for inner in _visible(results / name):
            stamp = _stamp(results / name / inner)
            if stamp is not None:
                yield f"{name}/{inner}", stamp
    own = _stamp(results)
    if own is not None:
        yield ".", own


def _visible(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [one.name for one in entries if one.is_dir() and not one.name.startswith(".")]


def _stamp(folder: Path) -> list[int] | None:
    try:
        status = os.stat(f"{folder}/{OUTCOME_FILE}")  # noqa: PTH116 - ten thousand of them
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _summary(results: Path, folder: str) -> Summary:
    try:
        document = read_document(results / folder)
    except StorageError:
        return Summary(folder, "", 0, {}, "unreadable", False, "", "", None, None, "", folder)
    place = document.get("study") or {}
    experiment = document.get("experiment") or {}
    points = place.get("points") or [{}]
    # An imported result has its figures in a section of their own, and none elsewhere.
    imported = (document.get("imported") or {}).get("metrics") or {}
    throughput, energy = document.get("throughput"), document.get("energy")
    return Summary(
        id=document.get("id", folder),
        study=place.get("name", ""),
        position=place.get("position", 0),
        settings=points[0],
        status=document.get("status", ""),
        valid=bool((document.get("verdict") or {}).get("valid")),
        backend=experiment.get("backend", ""),
        model=(experiment.get("model") or {}).get("id", ""),
        output_tokens_per_s=(throughput or imported).get("output_tokens_per_s"),
        j_per_output_token=(energy or imported).get("j_per_output_token"),
        started_at=(document.get("environment") or {}).get("started_at", ""),
        folder=folder,
    )
