"""Outcomes as one file for other programs."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Sequence
from typing import Any, Literal

from llem.errors import ConfigError

Format = Literal["csv", "json", "parquet"]
Records = Sequence[dict[str, Any]]


def exported(records: Records, form: Format) -> bytes:
    """Return ``records``, which have the same keys, in one of the formats.

    Raises:
        ConfigError: It is Parquet, and the library for it is not installed.
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
    columns = {name: _column(arrow, [one[name] for one in records]) for name in names}
    sink = io.BytesIO()
    parquet.write_table(arrow.table(columns), sink)
    return sink.getvalue()


def _column(arrow: Any, values: list[Any]) -> Any:
    """Return a column; one whose values are of several kinds becomes text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} or len(kinds) <= 1:
        wanted = arrow.float64() if kinds == {int, float} else None
        return arrow.array(values, type=wanted)
    return arrow.array([None if value is None else str(value) for value in values])
