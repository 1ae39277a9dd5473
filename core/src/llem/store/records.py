"""Outcomes as flat records, one for each, the way tables want them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llem.store.reader import outcome_folders, read_document

_LEFT_OUT = frozenset({"plan", "effective", "log_tail", "environment", "warnings"})
"""Parts of an outcome that do not fit into one row, or are too long for it."""


def load_results(path: str | Path) -> list[dict[str, Any]]:
    """Return the outcomes in ``path`` as flat records, for pandas or polars.

    ``pandas.DataFrame(llem.load_results("results"))`` is a table with a row for each outcome.
    Keys are those of the outcome document, dotted (``energy.j_per_output_token``); what was not
    measured is ``None``. All records have the same keys. Lists have no place in a row; of the
    verdict's reasons the codes are there, joined by spaces.

    Args:
        path: A folder of results, a study's folder, or that of one outcome.

    Raises:
        StorageError: There is no such folder, or an outcome in it cannot be read.
    """
    records = [record(read_document(folder), folder) for folder in outcome_folders(Path(path))]
    keys = dict.fromkeys(key for one in records for key in one)
    return [{key: one.get(key) for key in keys} for one in records]


def record(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return one outcome as a flat record."""
    kept = {key: value for key, value in document.items() if key not in _LEFT_OUT}
    flat = dict(_flat(kept))
    environment = document.get("environment") or {}
    verdict = document.get("verdict") or {}
    return {
        **flat,
        "verdict.reasons": " ".join(one["code"] for one in verdict.get("reasons", ())),
        **{
            f"environment.{key}": environment.get(key)
            for key in ("started_at", "cpu", "engine", "engine_version")
        },
        "environment.devices": " ".join(environment.get("devices", ())),
        "folder": str(folder),
    }


def _flat(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            yield f"{prefix}{key}", value
