"""The folder of one outcome. It carries a working name until it is complete."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Self

from llem.api.meters import Series
from llem.api.session import Request, RunResult
from llem.errors import OutputRefused, StorageError, os_errors_as
from llem.results.series_files import Spans, store_phases, store_samples, write_requests

OUTCOME_FILE = "outcome.json"
LOG_FILE = "worker.log"
_MIN_FREE_BYTES = 16 * 2**20


class OutcomeFolder:
    """``<parent>/<id>/`` with ``outcome.json``, ``requests.jsonl.gz``, ``samples.csv.gz``,
    ``phases.csv.gz`` and ``worker.log``.

    While the experiment runs, its name is ``<parent>/.<id>.partial``, so that no reader sees an
    incomplete outcome. It replaces what an earlier run of the same id left behind, a killed run
    included: the caller makes sure that no two runs have one id at a time.

    Args:
        parent: Folder that holds the outcomes; created if missing.
        id: Name of the folder; :meth:`unused` finds a name that no other run has.

    Raises:
        OutputRefused: The folder cannot be made or written, or has no room left.
    """

    def __init__(self, parent: Path, id: str) -> None:
        self._name(parent, id)
        with writing_results_to(parent):
            self.discard()
            self._working.mkdir(parents=True)
        self._require_room()

    @classmethod
    def unused(cls, results: Path, *, label: str, digest: str) -> Self:
        """Make the folder of a single experiment: time, label, hash, and a number if needed.

        Processes that start in the same instant get folders of their own.

        Args:
            results: Folder that holds all outcomes; created if missing.
            label: Backend and name of the experiment.
            digest: Hash of the experiment; its first 8 digits become part of the id.

        Raises:
            OutputRefused: The folder cannot be made or written, or has no room left.
        """
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        wanted = f"{stamp}-{label}-{digest[:8]}"
        numbered = (wanted if number == 1 else f"{wanted}-{number}" for number in count(1))
        folder = cls.__new__(cls)
        with writing_results_to(results):
            results.mkdir(parents=True, exist_ok=True)
            folder._name(results, next(id for id in numbered if _reserve(results, id)))
        folder._require_room()
        return folder

    def _name(self, parent: Path, id: str) -> None:
        self.id = id
        self.path = parent / id
        self._working = parent / f".{id}.partial"

    def _require_room(self) -> None:
        parent = self.path.parent
        free_bytes = shutil.disk_usage(parent).free
        if free_bytes < _MIN_FREE_BYTES:
            self.discard()
            raise OutputRefused(
                f"only {free_bytes} bytes are free in {parent}",
                hint="Free some space, or choose another folder with --out.",
            )

    @property
    def log_path(self) -> Path:
        """File that receives the worker's output."""
        return self._working / LOG_FILE

    def keep(self, name: str, content: bytes) -> None:
        """Write another file into the folder.

        Raises:
            StorageError: The disk refused; nothing is left behind.
        """
        with self._writing():
            (self._working / name).write_bytes(content)

    def finish(
        self,
        outcome: dict[str, Any],
        requests: Sequence[Request] = (),
        runs: Sequence[RunResult] = (),
        series: Sequence[Series] = (),
        phases: Spans | None = None,
    ) -> Path:
        """Write ``outcome`` and the data behind it, and give the folder its final name.

        Args:
            outcome: The outcome document.
            requests: The requests of a repetition.
            runs: The measured repetitions.
            series: All readings.
            phases: Times of prefill and decode, if the engine reports them.

        Raises:
            StorageError: The disk refused; nothing is left behind.
        """
        with self._writing():
            if runs:
                write_requests(self._working, requests, runs)
            if series:
                store_samples(self._working, series)
            if phases is not None:
                store_phases(self._working, phases)
            write_json(self._working / OUTCOME_FILE, outcome)
            self._replace()
        return self.path

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Remove the folder if the disk refuses."""
        hint = "Free some space, or choose another folder with --out."
        try:
            with os_errors_as(StorageError, f"cannot write the outcome to {self.path}", hint=hint):
                yield
        except StorageError:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._working, ignore_errors=True)

    def _replace(self) -> None:
        """Rename the folder, in place of an existing folder of that name."""
        replaced = self.path.with_name(f".{self.id}.replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        if self.path.exists():
            self.path.rename(replaced)
        self._working.rename(self.path)
        sync_folder(self.path.parent)
        shutil.rmtree(replaced, ignore_errors=True)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write ``document`` to ``path`` atomically.

    Raises:
        OSError: The disk refused; ``path`` is unchanged.
        ValueError: The document holds a NaN or infinity, which JSON does not allow.
    """
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reserve(results: Path, id: str) -> bool:
    """Make the working folder of ``id``; return whether the id was free."""
    working = results / f".{id}.partial"
    try:
        working.mkdir()
    except FileExistsError:
        return False
    # Asked last: another run may have given its working folder the final name just before.
    if (results / id).exists():
        working.rmdir()
        return False
    return True


def writing_results_to(folder: Path) -> AbstractContextManager[None]:
    """Refuse ``folder`` if it cannot be made or written in the block.

    Raises:
        OutputRefused: It is a link to nothing, or the disk refused.
    """
    hint = "Choose another folder with --out."
    for part in (folder, *folder.parents):
        if part.is_symlink() and not part.exists():
            raise OutputRefused(f"{part} is a link to a folder that does not exist", hint=hint)
    return os_errors_as(OutputRefused, f"cannot write results to {folder}", hint=hint)
