"""The journal of a study: a line for each event, on disk before the next event begins.

Lines are only appended. The order of the lines is the order of events; their clock times are for
people, since a clock may be set back.
"""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

from llem.errors import StorageError, os_errors_as
from llem.results.read_outcomes import read_limited
from llem.run.lifecycle import NullProgress, Progress

JOURNAL_FILE = "journal.jsonl"
_MOST_BYTES = 2**30  # a line is some hundred bytes

Entry = dict[str, Any]
"""A line: ``seq`` from 0, ``at`` (wall clock, for people), ``event``, and the event's details."""


class Journal:
    """A study's journal, open for appending; use as a context manager.

    A kill or a loss of power in the middle of writing leaves an incomplete last line. Its event
    has not happened, so the line is removed, and a new line says so.

    Args:
        folder: The study's folder.

    Raises:
        StorageError: The journal cannot be opened, or a line before the last line is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL_FILE
        self.entries, whole_bytes = _read(self.path)
        """Everything so far, in order."""
        with _accessing(self.path):
            # Unbuffered: what the disk refused must not be tried again on closing.
            self._file = self.path.open("ab", buffering=0)
            lost_bytes = self._file.tell() - whole_bytes
            self._file.truncate(whole_bytes)
        if lost_bytes:
            self.write("journal-repaired", lost_bytes=lost_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, event: str, **details: Any) -> Entry:
        """Append a line and wait until it is on disk.

        Raises:
            StorageError: The disk refused; the line is removed when the journal is next opened.
        """
        entry: Entry = {
            "seq": len(self.entries),
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": event,
            **details,
        }
        line = json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        with _accessing(self.path):
            rest = memoryview(line)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        self.entries.append(entry)
        return entry


def read_journal(folder: Path) -> list[Entry]:
    """Return the entries of a study's journal in order, without an incomplete last line.

    Raises:
        StorageError: It cannot be read, or a line before the last line is damaged.
    """
    return _read(folder / JOURNAL_FILE)[0]


def _read(path: Path) -> tuple[list[Entry], int]:
    """Return the entries in order, and the length of their lines in bytes."""
    try:
        with _accessing(path):
            content = read_limited(path, _MOST_BYTES) if path.exists() else b""
    except ValueError as error:
        raise StorageError(f"cannot read the journal {path}: {error}") from error
    lines = content.splitlines(keepends=True)
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        entry = _parsed(line) if line.endswith(b"\n") else None
        if entry is None and number == len(lines):
            break
        if entry is None or entry.get("seq") != len(entries):
            raise StorageError(
                f"{path}:{number}: the journal is damaged here",
                hint="Restore it from a copy; or move the study's folder away and start again.",
            )
        entries.append(entry)
    return entries, sum(map(len, lines[: len(entries)]))


def _parsed(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _accessing(path: Path) -> AbstractContextManager[None]:
    hint = "Everything before is stored: free some space, then continue with --resume."
    return os_errors_as(StorageError, f"cannot access the journal {path}", hint=hint)


class StudyProgress(Progress, Protocol):
    """Receives the steps of a study, between windows only."""

    def run_begins(self, number: int, total: int, label: str, left_s: float) -> None:
        """Say that a run begins.

        Args:
            number: Its place in the order, from 1.
            total: Number of runs.
            label: What tells its experiment apart.
            left_s: Estimated time of this and all later runs, in s.
        """

    def journal_event(self, entry: Entry) -> None:
        """Report what was written into the journal."""


class NullStudyProgress(NullProgress):
    """A :class:`StudyProgress` that shows nothing."""

    def run_begins(self, number: int, total: int, label: str, left_s: float) -> None:
        """Ignore the run."""

    def journal_event(self, entry: Entry) -> None:
        """Ignore the entry."""
