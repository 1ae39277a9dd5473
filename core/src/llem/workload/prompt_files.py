"""Read prompts from JSON Lines, JSON, CSV, TSV and plain text, by file extension."""

from __future__ import annotations

import csv
import difflib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from llem.errors import WorkloadError

USUAL_COLUMNS = ("prompt", "text", "question", "instruction", "input", "query", "content")
"""Columns that may hold prompts, in order of preference, where none is named."""

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def file_texts(path: Path, column: str | None) -> Iterator[str]:
    """Yield the prompts in ``path``; empty lines are skipped.

    Raises:
        WorkloadError: The file cannot be read, or lacks the column.
    """
    csv.field_size_limit(sys.maxsize)  # a long prompt exceeds the default of 128 KiB
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _texts(file, path, column)
    except FileNotFoundError:
        raise WorkloadError(
            f"{path} does not exist", hint="workload.path is relative to the config file."
        ) from None
    except UnicodeDecodeError as error:
        raise WorkloadError(f"{path} is not UTF-8 text: {error.reason}") from error
    except OSError as error:
        raise WorkloadError(f"cannot read {path}: {error.strerror}") from error
    except csv.Error as error:
        raise WorkloadError(f"{path} is not a table: {error}") from error


def _texts(file: TextIO, path: Path, column: str | None) -> Iterator[str]:
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            yield from column_texts(_json_lines(file, path), column, str(path))
        case ".json":
            yield from column_texts(_json_array(file, path), column, str(path))
        case ".csv" | ".tsv" as suffix:
            rows = csv.DictReader(file, delimiter=_DELIMITERS[suffix])
            yield from column_texts(rows, column, str(path))
        case _:
            yield from (line.rstrip("\r\n") for line in file if line.strip())


def column_texts(rows: Iterable[Any], column: str | None, source: str) -> Iterator[str]:
    """Yield the prompt of each row: the row itself where it is a string, else its column.

    Args:
        rows: Strings, or mappings from column to value.
        column: Column with the prompts; ``None`` takes the first of :data:`USUAL_COLUMNS` that
            holds text in the first mapping.
        source: What messages call the source.

    Raises:
        WorkloadError: A row lacks the column, or the column holds no text.
    """
    for number, row in enumerate(rows, start=1):
        if isinstance(row, str):
            yield row
            continue
        if not isinstance(row, Mapping):
            raise WorkloadError(f"{source}: row {number} is neither a string nor an object")
        if column is None:
            column = _find_column(row, source)
        text = row.get(column)
        if not isinstance(text, str):
            raise _no_text(row, column, f"{source}: row {number}")
        yield text


def _find_column(row: Mapping[str, Any], source: str) -> str:
    for name in USUAL_COLUMNS:
        if isinstance(row.get(name), str):
            return name
    # csv.DictReader collects the cells beyond the header under the key None.
    columns = ", ".join(name for name in row if isinstance(name, str))
    raise WorkloadError(
        f"{source} has no text in a column named {', '.join(USUAL_COLUMNS)}; "
        f"its columns are: {columns}",
        hint="Set workload.column to the column with the prompts.",
    )


def _no_text(row: Mapping[str, Any], column: str, where: str) -> WorkloadError:
    if column in row:
        kind = type(row[column]).__name__
        return WorkloadError(f"{where}: column {column!r} holds {kind}, not text")
    names = [str(name) for name in row]
    near = difflib.get_close_matches(column, names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Its columns are: {', '.join(names)}."
    return WorkloadError(f"{where} has no column {column!r}", hint=hint)


def _json_lines(file: TextIO, path: Path) -> Iterator[Any]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise WorkloadError(f"{path}:{number} is not JSON: {error}") from error


def _json_array(file: TextIO, path: Path) -> list[Any]:
    try:
        rows = json.load(file)
    except ValueError as error:
        raise WorkloadError(f"{path} is not JSON: {error}") from error
    if not isinstance(rows, list):
        raise WorkloadError(f"{path} is not a JSON array")
    return rows
