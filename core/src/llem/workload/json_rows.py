"""Find the rows in a JSON file: an object a line, a list, or a list inside an object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from llem.errors import WorkloadError
from llem.workload.conversations import COLUMNS
from llem.workload.row_columns import USUAL_COLUMNS

_LISTS = ("data", "rows", "records", "items", "examples", "instances", "samples", "prompts")
"""Usual names of the list of rows in an object that has several lists."""

_MESSAGE = {"role", "content", "name"}
_BLANK = re.compile(r"\s*")
_FORMS = "Write an array of objects, or an object a line (.jsonl)."


def json_rows(lines: Iterator[tuple[int, str]], source: str) -> Iterator[Any]:
    """Yield the rows of a file, whether it holds JSON lines or one document.

    Args:
        lines: The file's lines with their numbers.
        source: What messages call the file.

    Raises:
        WorkloadError: The file is not JSON, or holds no list of rows.
    """
    filled = ((number, line) for number, line in lines if line.strip())
    number, first = next(filled, (0, ""))
    if not first:
        return
    try:
        value = json.loads(first)
    except ValueError:
        yield from _documents("".join([first, *(line for _, line in lines)]), number, source)
        return
    except RecursionError:
        raise _too_deep(source) from None
    second = next(filled, None)
    if second is None:
        yield from document_rows(value, source)
        return
    yield value
    for number, line in chain([second], filled):
        yield _parsed(line, number, source)


def _parsed(line: str, number: int, source: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise WorkloadError(f"{source}:{number} is not JSON: {error}") from None
    except RecursionError:
        raise _too_deep(source) from None


def _documents(text: str, line: int, source: str) -> Iterable[Any]:
    """Return the rows of one document of several lines, or of several such documents."""
    decoder, values, place = json.JSONDecoder(), [], 0
    text = text.strip()
    try:
        while place < len(text):
            value, end = decoder.raw_decode(text, place)
            values.append(value)
            place = _BLANK.match(text, end).end()  # type: ignore[union-attr]  # it always matches
    except json.JSONDecodeError as error:
        at = f"{source}:{line + error.lineno - 1}"
        raise WorkloadError(f"{at} is not JSON: {error.msg}", hint=_FORMS) from None
    except ValueError as error:
        raise WorkloadError(f"{source} is not JSON: {error}", hint=_FORMS) from None
    except RecursionError:
        raise _too_deep(source) from None
    return document_rows(values[0], source) if len(values) == 1 else values


def _too_deep(source: str) -> WorkloadError:
    return WorkloadError(f"{source} is nested too deeply for a file of prompts", hint=_FORMS)


def document_rows(document: Any, source: str) -> Iterable[Any]:
    """Return the rows of a JSON document.

    It may be a list, an object with a list of rows, SQuAD's nesting, what pandas' ``to_json``
    writes in any orientation, or a single row.

    Raises:
        WorkloadError: The document holds no list of rows, or several.
    """
    if isinstance(document, list):
        ids = all(type(item) is int for item in document)
        talk = all(isinstance(item, Mapping) and set(item) <= _MESSAGE for item in document)
        return [document] if document and (ids or talk) else document
    if isinstance(document, str):
        return [document]
    if not isinstance(document, Mapping):
        raise WorkloadError(f"{source} holds a single value, and no rows", hint=_FORMS)
    if _is_table(document):
        return [dict(zip(document["columns"], row, strict=False)) for row in document["data"]]
    if document and all(isinstance(value, Mapping) for value in document.values()):
        return _rows_by_key(document)
    if _are_columns(document):
        cells = zip(*document.values(), strict=True)
        return [dict(zip(document, row, strict=True)) for row in cells]
    lists = {name: value for name, value in document.items() if _holds_rows(name, value)}
    if not lists or _is_row(document):
        return [document]
    chosen = [name for name in _LISTS if name in lists] or list(lists)
    if len(chosen) > 1:
        raise WorkloadError(
            f"{source} holds several lists: {', '.join(lists)}",
            hint="Write the rows to use into a file of their own. " + _FORMS,
        )
    return list(chain.from_iterable(_flat(row, source) for row in lists[chosen[0]]))


def _holds_rows(name: str, value: Any) -> bool:
    """Whether ``value`` is a list of objects, or of texts under a name for several prompts."""
    if not isinstance(value, list) or not value:
        return False
    if isinstance(value[0], str):
        return name.lower() in {*_LISTS, *(f"{column}s" for column in USUAL_COLUMNS)}
    return isinstance(value[0], Mapping)


def _is_table(document: Mapping[str, Any]) -> bool:
    """Whether pandas wrote it with ``orient="split"``."""
    columns, data = document.get("columns"), document.get("data")
    return (
        isinstance(columns, list)
        and isinstance(data, list)
        and all(isinstance(name, str) for name in columns)
        and all(isinstance(row, list) for row in data)
    )


def _rows_by_key(document: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Return the rows of an object of objects, which are columns if they have numbers as keys."""
    keys = list(next(iter(document.values())))
    if keys and all(key.isdigit() for key in keys):
        return [{name: column.get(key) for name, column in document.items()} for key in keys]
    return list(document.values())


def _are_columns(document: Mapping[str, Any]) -> bool:
    """Whether every value is a list of one length, among them a list of prompts."""
    values = list(document.values())
    texts = [value for name, value in document.items() if name.lower() in USUAL_COLUMNS]
    return (
        all(isinstance(value, list) for value in values)
        and len({len(value) for value in values}) == 1
        and any(isinstance(cell, str) for value in texts for cell in value)
    )


def _is_row(document: Mapping[str, Any]) -> bool:
    """Whether the document is a row itself: it holds a prompt, or a conversation."""
    return any(
        (isinstance(value, str) and name.lower() in USUAL_COLUMNS)
        or (
            isinstance(value, list)
            and len(value) > 0
            and isinstance(value[0], Mapping)
            and (name.lower() in COLUMNS or not {"role", "from"}.isdisjoint(value[0]))
            and not {"role", "from", "content", "value"}.isdisjoint(value[0])
        )
        for name, value in document.items()
    )


def _flat(row: Any, source: str) -> Iterator[Any]:
    """Yield the questions of an article of SQuAD, or what a row of the Hub's viewer wraps.

    Raises:
        WorkloadError: The viewer has cut a text.
    """
    if isinstance(row, Mapping) and isinstance(row.get("paragraphs"), list):
        for paragraph in row["paragraphs"]:
            for question in paragraph.get("qas", ()):
                yield {"title": row.get("title"), "context": paragraph.get("context"), **question}
    elif isinstance(row, Mapping) and "row_idx" in row and "row" in row:
        if row.get("truncated_cells"):
            raise WorkloadError(
                f"{source}: row {row['row_idx']} was cut by the server that sent it",
                hint="Download the data set's own file.",
            )
        yield row["row"]
    else:
        yield row
