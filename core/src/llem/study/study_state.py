"""What has become of studies and their runs: the journal tells, and the outcomes confirm it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from llem.errors import StorageError
from llem.results import read_document
from llem.results.folder import OUTCOME_FILE
from llem.study.journal import JOURNAL_FILE, Entry, read_journal
from llem.study.lock import is_locked
from llem.study.manifest import read_manifest

FINAL = frozenset({"done", "failed", "out-of-memory", "pruned"})
"""States after which a run is not run again; a refused run is, as the machine may have changed."""

WITHOUT_OUTCOME = frozenset({"refused", "pruned"})
"""Final states of runs that were never started."""


class RunEnd(NamedTuple):
    """How a run ended.

    Attributes:
        status: The outcome's status.
        valid: The outcome's verdict.
    """

    status: str
    valid: bool


@dataclass(frozen=True, slots=True)
class StudyState:
    """A study on disk.

    Attributes:
        name: Its name.
        folder: Its folder.
        state: ``running``, ``finished``, ``interrupted``, ``stopped``, ``crashed`` or
            ``damaged``; all but the first two can be resumed, a damaged study after mending.
        runs: Number of its runs.
        states: Number of runs in each final state.
        last_at: Wall-clock time of the journal's last line.
        remark: What is wrong with a damaged study, or why a study was stopped.
    """

    name: str
    folder: str
    state: str
    runs: int
    states: dict[str, int]
    last_at: str
    remark: str = ""


def study_states(results: Path) -> list[StudyState]:
    """Return the state of every study in ``results``, by name; links are not followed."""
    folders = (journal.parent for journal in results.glob(f"*/{JOURNAL_FILE}"))
    studies = (folder for folder in folders if not folder.is_symlink())
    return sorted(map(_study_state, studies), key=lambda study: study.name)


def finished_runs(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the last entry about the end of each run, by the run's id."""
    return {entry["run"]: entry for entry in entries if entry["event"] == "run-finished"}


def stored_end(folder: Path) -> RunEnd | None:
    """Return how the run in ``folder`` ended, or ``None`` if its outcome cannot be read."""
    try:
        document = read_document(folder)
    except StorageError:
        return None
    return RunEnd(str(document["status"]), bool(document["verdict"]["valid"]))


def tidy_folders(study: Path) -> None:
    """Name the folders of runs that were complete when llem was killed; remove all others."""
    for folder in sorted(study.glob(".*.partial")):
        final = study / folder.name.removeprefix(".").removesuffix(".partial")
        # The outcome is the last file to be written: only the folder's name is missing.
        if (folder / OUTCOME_FILE).is_file() and not final.exists():
            folder.rename(final)
    for pattern in (".*.partial", ".*.replaced"):
        for folder in study.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)


def _study_state(folder: Path) -> StudyState:
    try:
        manifest, entries = read_manifest(folder), read_journal(folder)
    except StorageError as error:
        return StudyState(folder.name, str(folder), "damaged", 0, {}, "", error.message)
    last = entries[-1] if entries else {"event": "", "at": ""}
    statuses = (entry["status"] for entry in finished_runs(entries).values())
    how = last["event"].removeprefix("study-")
    ended = how if how in ("finished", "interrupted", "stopped") else "crashed"
    return StudyState(
        name=manifest.name if manifest else folder.name,
        folder=str(folder),
        # A journal without an end, and no process that writes it: the process was killed.
        state="running" if is_locked(folder) else ended,
        runs=len(manifest.runs) if manifest else 0,
        states=dict(Counter(status for status in statuses if status in FINAL)),
        last_at=last["at"],
        remark=last.get("reason", ""),
    )
