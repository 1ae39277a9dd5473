"""The folder of one outcome. It carries a working name until it is complete."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llem.api.errors import OutputRefused, StorageError
from llem.api.session import Request, RunResult
from llem.store.requests import write_requests

OUTCOME_FILE = "outcome.json"
LOG_FILE = "worker.log"
_MIN_FREE_BYTES = 16 * 2**20


class OutcomeFolder:
    """``<results>/<id>/`` with ``outcome.json``, ``requests.jsonl.gz`` and ``worker.log``.

    While the experiment runs it is ``<results>/.<id>.partial``, so that a reader never meets
    an outcome that is half there.

    Args:
        results: Folder that holds all outcomes; made if missing.
        label: Middle part of the id: backend and name of the experiment.
        digest: Hash of the experiment; its first 8 digits end the id.

    Raises:
        OutputRefused: The folder cannot be made or written, or has no room left.
    """

    def __init__(self, results: Path, *, label: str, digest: str) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        try:
            results.mkdir(parents=True, exist_ok=True)
            self.id, self._working = _reserve(results, f"{stamp}-{label}-{digest[:8]}")
        except OSError as error:
            raise OutputRefused(
                f"cannot write results to {results}: {error.strerror}",
                hint="Choose another folder with --out.",
            ) from error
        self.path = results / self.id
        free_bytes = shutil.disk_usage(results).free
        if free_bytes < _MIN_FREE_BYTES:
            self.discard()
            raise OutputRefused(
                f"only {free_bytes} bytes are free in {results}",
                hint="Free some space, or choose another folder with --out.",
            )

    @property
    def log_path(self) -> Path:
        """Where the worker's output goes while it runs."""
        return self._working / LOG_FILE

    def finish(
        self,
        outcome: dict[str, Any],
        requests: Sequence[Request] = (),
        runs: Sequence[RunResult] = (),
    ) -> Path:
        """Write ``outcome`` and what every request got, and give the folder its final name.

        Raises:
            StorageError: The disk refused; nothing is left behind.
        """
        try:
            if runs:
                write_requests(self._working, requests, runs)
            write_json(self._working / OUTCOME_FILE, outcome)
            self._working.rename(self.path)
        except OSError as error:
            self.discard()
            raise StorageError(
                f"cannot write the outcome to {self.path}: {error.strerror}",
                hint="Free some space, or choose another folder with --out.",
            ) from error
        return self.path

    def discard(self) -> None:
        """Remove the folder; for a run that never began."""
        shutil.rmtree(self._working, ignore_errors=True)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write ``document`` to ``path`` so that it is there whole or not at all.

    Raises:
        OSError: The disk refused; ``path`` is as it was.
        ValueError: The document holds a NaN or infinity, which JSON cannot.
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


def _reserve(results: Path, wanted: str) -> tuple[str, Path]:
    """Make a working folder for the first free id that begins with ``wanted``."""
    number = 1
    while True:
        id = wanted if number == 1 else f"{wanted}-{number}"
        working = results / f".{id}.partial"
        if not (results / id).exists():
            try:
                working.mkdir()
            except FileExistsError:
                pass
            else:
                return id, working
        number += 1
