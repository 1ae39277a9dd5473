"""Which studies a folder holds, and what has become of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llem.errors import StorageError
from llem.study.journal import JOURNAL_FILE, read_journal
from llem.study.lock import is_locked
from llem.study.manifest import read_manifest
from llem.study.run_study import FINAL


@dataclass(frozen=True, slots=True)
class StudyState:
    """A study on disk.

    Attributes:
        name: Its name.
        folder: Its folder.
        state: ``running``, ``finished``, ``interrupted``, ``stopped``, ``crashed`` or
            ``damaged``; all but the first two can be resumed, a damaged one after mending.
        runs: Number of its runs.
        states: Number of runs in each final state.
        last_at: Wall-clock time of the journal's last line.
        remark: What is wrong with a damaged one, or why one was stopped.
    """

    name: str
    folder: str
    state: str
    runs: int
    states: dict[str, int]
    last_at: str
    remark: str = ""


def studies(results: Path) -> list[StudyState]:
    """Return every study in ``results``, by name."""
    return sorted(_found(results), key=lambda study: study.name)


def _found(results: Path) -> Iterator[StudyState]:
    for journal in results.glob(f"*/{JOURNAL_FILE}"):
        folder = journal.parent
        try:
            yield _state(folder)
        except StorageError as error:
            yield StudyState(folder.name, str(folder), "damaged", 0, {}, "", error.message)


def _state(folder: Path) -> StudyState:
    manifest, entries = read_manifest(folder), list(read_journal(folder))
    last = entries[-1] if entries else {"event": "", "at": ""}
    said = {entry["run"]: entry["status"] for entry in entries if entry["event"] == "run-finished"}
    states = Counter(status for status in said.values() if status in FINAL)
    ends = {
        "study-finished": "finished",
        "study-interrupted": "interrupted",
        "study-stopped": "stopped",
    }
    return StudyState(
        name=manifest.name if manifest else folder.name,
        folder=str(folder),
        # Without a word about its end, and with nobody running it, it was killed.
        state="running" if is_locked(folder) else ends.get(last["event"], "crashed"),
        runs=len(manifest.runs) if manifest else 0,
        states=dict(states),
        last_at=last["at"],
        remark=last.get("reason", ""),
    )
