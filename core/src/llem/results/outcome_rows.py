"""Many outcomes as rows: listed, as flat records for pandas or polars, and as one file."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model

from llem.errors import ConfigError
from llem.results.folder import OUTCOME_FILE
from llem.results.read_outcomes import (
    MOST_BYTES,
    Copies,
    outcome_folders,
    read_document,
    read_limited,
    upgraded,
)
from llem.schema.fields import flat


@dataclass(frozen=True, slots=True)
class ListedOutcome:
    """What a listing says about an outcome.

    Attributes:
        id: Its id.
        study: Name of its study, or empty.
        position: Its place in the order of its study, from 0.
        settings: What tells it apart in its study.
        status: How it ended; ``unreadable`` if its document cannot be read.
        valid: Whether its figures may be used.
        backend: The backend that ran it.
        model: The model.
        output_tokens_per_s: Speed.
        j_per_output_token: Gross energy.
        started_at: When it was started, in UTC.
        folder: Its folder, relative to the listed folder.
    """

    id: str
    study: str = ""
    position: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    status: str = "unreadable"
    valid: bool = False
    backend: str = ""
    model: str = ""
    output_tokens_per_s: float | None = None
    j_per_output_token: float | None = None
    started_at: str = ""
    folder: str = ""


_FIGURES = {"output_tokens_per_s": float, "j_per_output_token": float}

_LISTED_KEYS: dict[str, Any] = {
    "schema_version": Any,
    "id": str,
    "study": {"study": str, "name": str, "position": int, "points": list[dict[str, Any]]},
    "status": str,
    "verdict": {"valid": bool},
    "failure": {"code": str},
    "experiment": {"backend": str, "model": {"id": str}},
    "imported": {"figures": _FIGURES, "metrics": _FIGURES},
    "throughput": _FIGURES,
    "energy": _FIGURES,
    "environment": {"started_at": str},
}
"""The keys of an outcome of any version that a listing needs; parsing skips all others."""


def _model_of(keys: dict[str, Any]) -> type[BaseModel]:
    kinds = {key: _model_of(kind) if isinstance(kind, dict) else kind for key, kind in keys.items()}
    fields: dict[str, Any] = {key: (kind | None, None) for key, kind in kinds.items()}
    return create_model("Listed", __config__=ConfigDict(protected_namespaces=()), **fields)


def list_outcomes(results: Path, copies: Copies | None = None) -> list[ListedOutcome]:
    """Return a row for every outcome in ``results``, by study and position in its order.

    Only the keys that a row needs are parsed, which makes thousands of outcomes quick to list.

    Args:
        results: The folder.
        copies: Told which outcomes are copies of others, and left out.

    Raises:
        StorageError: There is no such folder.
    """
    parts = _model_of(_LISTED_KEYS)
    copies = copies or Copies()
    rows = (
        row
        for folder in outcome_folders(results)
        if (row := _listed(folder, results, parts)).status == "unreadable"
        or copies.is_new(folder, row.id, row.started_at)
    )
    return sorted(rows, key=lambda row: (row.study, row.position, row.folder))


def _listed(folder: Path, results: Path, parts: type[BaseModel]) -> ListedOutcome:
    path = str(folder.relative_to(results))
    try:
        content = read_limited(folder / OUTCOME_FILE, MOST_BYTES)
        document = upgraded(parts.model_validate_json(content).model_dump(exclude_unset=True))
    except (OSError, ValueError):
        return ListedOutcome(id=path, folder=path)
    value = dict(flat(document)).get
    points = (document.get("study") or {}).get("points")
    # An imported result has its figures in a section of their own, and none elsewhere.
    speed, energy = (value(f"imported.metrics.{name}") for name in _FIGURES)
    return ListedOutcome(
        id=value("id") or path,
        study=value("study.name") or "",
        position=value("study.position") or 0,
        settings=points[0] if points else {},
        status=value("status") or "",
        valid=value("verdict.valid") or False,
        backend=value("experiment.backend") or "",
        model=value("experiment.model.id") or "",
        output_tokens_per_s=value("throughput.output_tokens_per_s", speed),
        j_per_output_token=value("energy.j_per_output_token", energy),
        started_at=value("environment.started_at") or "",
        folder=path,
    )


_LEFT_OUT = frozenset({"plan", "effective", "log_tail", "environment", "warnings"})
"""Parts of an outcome that do not fit into one row, or are too long for it."""


def load_results(path: str | Path, *, copies: Copies | None = None) -> list[dict[str, Any]]:
    """Return the outcomes in ``path`` as flat records, for pandas or polars.

    ``pandas.DataFrame(llem.load_results("results"))`` is a table with a row for each outcome.
    Keys are those of the outcome document, dotted (``energy.j_per_output_token``); a figure that
    was not measured is ``None``. All records have the same keys. A record holds no lists; the
    codes of the verdict's reasons are one text, joined by spaces.

    Args:
        path: A folder of results, a study's folder, or that of one outcome.
        copies: Told which outcomes are copies of others, and left out.

    Raises:
        StorageError: There is no such folder, or an outcome in it cannot be read.
    """
    copies = copies or Copies()
    found = ((folder, read_document(folder)) for folder in outcome_folders(Path(path)))
    records = [
        record
        for folder, document in found
        if copies.is_new(
            folder,
            (record := _record(document, folder)).get("id") or str(folder),
            record["environment.started_at"],
        )
    ]
    keys = dict.fromkeys(key for record in records for key in record)
    return [{key: record.get(key) for key in keys} for record in records]


def _record(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    kept = {key: value for key, value in document.items() if key not in _LEFT_OUT}
    environment = document.get("environment") or {}
    verdict = document.get("verdict") or {}
    return {
        **{path: value for path, value in flat(kept) if not isinstance(value, list | Mapping)},
        "verdict.reasons": " ".join(reason["code"] for reason in verdict.get("reasons", ())),
        **{
            f"environment.{key}": environment.get(key)
            for key in ("started_at", "cpu", "engine", "engine_version")
        },
        "environment.devices": " ".join(environment.get("devices", ())),
        "folder": str(folder),
    }


Format = Literal["csv", "json", "parquet"]
Records = Sequence[dict[str, Any]]


def exported(records: Records, form: Format) -> bytes:
    """Return ``records``, which have the same keys, as the content of one file.

    Raises:
        ConfigError: The format is Parquet, and the library for it is not installed.
    """
    if form == "csv":
        return _csv(records)
    if form == "json":
        return (json.dumps(list(records), indent=2, ensure_ascii=False) + "\n").encode()
    return _parquet(records)


def _csv(records: Records) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def _parquet(records: Records) -> bytes:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"Parquet needs {error.name}, which is not installed",
            hint="Install it with: pip install 'llem-core[analysis]'",
        ) from None
    names = list(records[0]) if records else []
    columns = {name: _column(arrow, [record[name] for record in records]) for name in names}
    sink = io.BytesIO()
    parquet.write_table(arrow.table(columns), sink)
    return sink.getvalue()


def _column(arrow: Any, values: list[Any]) -> Any:
    """Return a column; values of several kinds become text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} or len(kinds) <= 1:
        wanted = arrow.float64() if kinds == {int, float} else None
        return arrow.array(values, type=wanted)
    return arrow.array([None if value is None else str(value) for value in values])
