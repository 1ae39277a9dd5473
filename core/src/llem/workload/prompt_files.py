"""Prompts from a file: JSON lines, JSON, CSV, TSV or plain text, by its ending."""

from __future__ import annotations

import csv
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from llem.errors import WorkloadError

USUAL_COLUMNS = ("prompt", "text", "question", "instruction", "input", "query", "content")
"""Names under which prompts are looked for, in this order, when no column is given."""

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def file_texts(path: Path, column: str | None) -> Iterator[str]:
    """Yield the prompts in ``path``; empty lines are passed over.

    Raises:
        WorkloadError: The file cannot be read, or holds no such column.
    """
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
    """Yield the prompt of each row: the row itself, or its column.

    Raises:
        WorkloadError: A row has no such column, or something else than text in it.
    """
    for number, row in enumerate(rows, start=1):
        if isinstance(row, str):
            yield row
            continue
        if not isinstance(row, Mapping):
            raise WorkloadError(f"{source}: row {number} is neither a text nor a record")
        if number == 1 and column is None:
            column = _find_column(row, source)
        text = row.get(str(column))
        if not isinstance(text, str):
            raise _no_text(row, column, f"{source}: row {number}")
        yield text


def _find_column(row: Mapping[str, Any], source: str) -> str:
    for name in USUAL_COLUMNS:
        if isinstance(row.get(name), str):
            return name
    raise WorkloadError(
        f"{source} has no column of a usual name; it has: {', '.join(map(str, row))}",
        hint="Name the one that holds the prompts with workload.column.",
    )


def _no_text(row: Mapping[str, Any], column: str | None, where: str) -> WorkloadError:
    if column is not None and column in row:
        kind = type(row[column]).__name__
        return WorkloadError(f"{where}: column {column!r} holds {kind}, not text")
    names = [str(name) for name in row]
    near = difflib.get_close_matches(str(column), names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(names)}."
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
        raise WorkloadError(f"{path} holds no JSON array")
    return rows
