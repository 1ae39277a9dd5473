"""Open files of prompts, and yield their rows: JSON, CSV, Parquet, or a prompt per line."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import importlib
import io
import lzma
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

from llem.errors import WorkloadError, counted
from llem.workload.json_rows import json_rows
from llem.workload.row_columns import USUAL_COLUMNS

MOST_BYTES = 4 * 2**30
"""Greatest size of a file after decompression."""

MOST_LINE = 64_000_000
"""Greatest length of a line in characters: JSON may write six for one of the text. A JSON document
may be a single line."""

READ = "JSON (.json, .jsonl), CSV (.csv, .tsv), Parquet, Arrow, and text with a prompt per line \
(.txt), also compressed (.gz, .bz2, .xz, .zst)"

_JSON = (".jsonl", ".ndjson", ".jsonlines", ".json")
_TABLES = {".csv": ",;\t|", ".tsv": "\t,;|"}
_ARROW = (".parquet", ".pq", ".feather", ".arrow", ".ipc")
_TEXT = (".txt", ".text", ".prompts", "")
_REMEDIES = {
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "Save the sheet as CSV (UTF-8)."),
    **dict.fromkeys((".yaml", ".yml"), "Write the prompts as JSON, or as workload.prompts."),
    **dict.fromkeys((".zip", ".tar", ".7z", ".rar"), "Unpack it, and name the file inside."),
}
_MAGIC = {
    b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ": ".xz", b"\x28\xb5\x2f\xfd": ".zst",
    b"PAR1": ".parquet", b"ARROW1": ".arrow", b"FEA1": ".feather",
}  # fmt: skip
_BINARY = {b"PK\x03\x04": "a zip archive or an Office file", b"%PDF": "a PDF file"}
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip


def file_rows(path: Path, encoding: str | None = None) -> Iterator[Any]:
    """Yield the rows of ``path``: mappings from column to cell, or texts; empty lines are skipped.

    Args:
        path: The file; its suffix says the format, unless its first bytes say it.
        encoding: Encoding of a text file; ``None`` is UTF-8.

    Raises:
        WorkloadError: The file cannot be read, or is of no format that is read.
    """
    try:
        _require_file(path)
        with path.open("rb") as file:
            head = file.read(4096)
        yield from _rows(path, head, encoding)
    except FileNotFoundError:
        raise WorkloadError(
            f"{path} does not exist", hint="workload.path is relative to the config file."
        ) from None
    except ValueError as error:
        # A path with a NUL, and what pyarrow raises for a damaged file.
        raise WorkloadError(f"cannot read {path}: {error}") from error
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise WorkloadError(f"{path} is damaged: {error}", hint="Compress it again.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise WorkloadError(f"cannot read {path}: {reason}") from error
    except csv.Error as error:
        raise WorkloadError(
            f"{path} is not a table: {error}", hint="Is a quote missing at the end of a cell?"
        ) from error


def _require_file(path: Path) -> None:
    """Refuse what has no end, or waits for a writer."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise WorkloadError(f"cannot read {path}: Is a directory", hint="Name a file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise WorkloadError(
            f"{path} is not a file but a device or a pipe",
            hint="Save the prompts in a file: llem check and llem run read it, each for itself.",
        )


def _rows(path: Path, head: bytes, encoding: str | None) -> Iterator[Any]:
    source, suffixes = str(path), [suffix.lower() for suffix in path.suffixes]
    suffix = suffixes[-1] if suffixes else ""
    for start, name in _BINARY.items():
        if head.startswith(start):
            remedy = _REMEDIES.get(suffix, "Save its texts in such a file.")
            raise WorkloadError(f"{source} is {name}", hint=f"{remedy} llem reads {READ}.")
    magic = next((name for start, name in _MAGIC.items() if head.startswith(start)), "")
    opener = _opener(magic, source)
    if suffix in (".gz", ".bz2", ".xz", ".zst"):
        if opener is None:
            raise WorkloadError(f"{source} is not compressed", hint=f"Name it without {suffix}.")
        suffix = suffixes[-2] if len(suffixes) > 1 else ""
    if magic in _ARROW or (suffix in _ARROW and opener is None):
        yield from _arrow_rows(path, magic or suffix)
    elif suffix in (*_JSON, *_TABLES, *_TEXT):
        most = MOST_BYTES if suffix == ".json" else MOST_LINE
        lines = _lines(path, opener, encoding, most)
        if suffix in _JSON:
            yield from json_rows(lines, source)
        elif suffix in _TABLES:
            yield from _table_rows((line for _, line in lines), _TABLES[suffix], source)
        else:
            yield from _text_rows(lines, source)
    else:
        remedy = _REMEDIES.get(suffix, "")
        raise WorkloadError(
            f"{source}: files that end in {suffix} are not read",
            hint=f"{remedy} llem reads {READ}.".strip(),
        )


def _opener(magic: str, source: str) -> Callable[[Path], IO[bytes]] | None:
    """Return what opens a compressed file; ``None`` if it is not compressed."""
    openers: dict[str, Callable[[Path], Any]] = {
        ".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open,
    }  # fmt: skip
    if magic != ".zst":
        return openers.get(magic)
    for name in ("compression.zstd", "zstandard"):  # the standard library has it from 3.14 on
        try:
            opener: Callable[[Path], IO[bytes]] = importlib.import_module(name).open
        except ModuleNotFoundError:
            continue
        return opener
    raise WorkloadError(
        f"{source} is compressed with Zstandard, and the library for it is missing",
        hint="Install it with: pip install zstandard. Or unpack the file.",
    )


class _Limited(io.RawIOBase):
    """A stream that refuses to yield more than :data:`MOST_BYTES`."""

    def __init__(self, stream: IO[bytes], source: str) -> None:
        self._stream, self._source, self._left = stream, source, MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise WorkloadError(
                f"{self._source} holds more than {MOST_BYTES // 2**30} GiB",
                hint="Write the rows that you need into a file of their own.",
            )
        buffer[: len(data)] = data
        return len(data)


def _lines(
    path: Path, opener: Callable[[Path], IO[bytes]] | None, encoding: str | None, most: int
) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file with their numbers, without a byte-order mark."""
    number = 0
    with opener(path) if opener else path.open("rb") as raw:
        stream = io.BufferedReader(_Limited(raw, str(path)), 2**16)
        start = stream.peek(4096)[:4096]
        if encoding is None:
            _refuse_utf_16(start, str(path))
        file = io.TextIOWrapper(stream, encoding or "utf-8", newline="")
        try:
            while line := file.readline(most):
                number += 1
                if len(line) == most:
                    raise WorkloadError(
                        f"{path}: line {number} has more than {most:,} characters",
                        hint="Is the file of another format than its suffix says? A JSON document "
                        "in a single line is named .json.",
                    )
                yield number, line.removeprefix("\ufeff") if number == 1 else line
        except UnicodeError as error:
            if encoding is not None:
                raise WorkloadError(
                    f"{path} is not {encoding} text, as workload.encoding says: {error}",
                    hint="Leave workload.encoding out for UTF-8, or name another.",
                ) from None
            raise _not_utf_8(path, opener) from None


def _refuse_utf_16(start: bytes, source: str) -> None:
    name = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "")
    if not name and b"\0" in start:
        even, odd = start[::2].count(0), start[1::2].count(0)
        name = "utf-16-be" if even > odd else "utf-16-le"
        if max(even, odd) < max(len(start) / 8, 4 * min(even, odd)):
            raise WorkloadError(f"{source} is not a text file", hint=f"llem reads {READ}.")
    if name:
        raise WorkloadError(
            f"{source} is not UTF-8 text but {name.upper()}",
            hint=f"Set workload.encoding: {name}, or save the file as UTF-8.",
        )


def _not_utf_8(path: Path, opener: Callable[[Path], IO[bytes]] | None) -> WorkloadError:
    """Return the error that names the first line with a byte that UTF-8 does not have."""
    line, byte = 0, 0
    with opener(path) if opener else path.open("rb") as file:
        while text := file.readline(MOST_LINE):
            line += 1
            try:
                text.decode()
            except UnicodeDecodeError as error:
                byte = text[error.start]
                break
    return WorkloadError(
        f"{path} is not UTF-8 text: line {line} holds the byte 0x{byte:02x}, as in Windows-1252",
        hint="Set workload.encoding: windows-1252 if that is right, or save the file as UTF-8.",
    )


def _text_rows(lines: Iterator[tuple[int, str]], source: str) -> Iterator[str]:
    """Yield the lines, unless the first is JSON or the header of a table."""
    for number, line in lines:
        text = line.rstrip("\r\n")
        if number == 1:
            start, cells = text.strip(), [cell.strip().lower() for cell in _split(text)]
            if (start[:1] in ("{", "[") and start[-1:] in '{[}],"') or start.startswith("PK"):
                raise WorkloadError(
                    f"{source} holds JSON, not a prompt per line", hint="Name it .json or .jsonl."
                )
            if len(cells) > 1 and set(cells) & {*USUAL_COLUMNS}:
                raise WorkloadError(
                    f"{source} holds a table, not a prompt per line", hint="Name it .csv or .tsv."
                )
        if text.strip():
            yield text


def _split(line: str) -> list[str]:
    return max((line.split(delimiter) for delimiter in _TABLES[".csv"]), key=len)


def _table_rows(lines: Iterator[str], delimiters: str, source: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table; its header tells the delimiter, in the order of ``delimiters``."""
    csv.field_size_limit(sys.maxsize)  # a long prompt exceeds the default of 128 KiB
    first = next((line for line in lines if line.strip()), "")
    delimiter = next((sign for sign in delimiters if len(_cells(first, sign)) > 1), delimiters[0])
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        delimiter, first = first[4], next(lines, "")  # the line with which Excel names it
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    header = [name.strip() for name in next(reader, [])]
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        raise WorkloadError(f"{source} has two columns {twice[0]!r}", hint="Rename one of them.")
    for number, cells in enumerate(filter(None, reader), start=1):
        if any(cell.strip() for cell in cells[len(header) :]):
            raise WorkloadError(
                f"{source}: row {number} has {len(cells)} cells, "
                f"and the header names {counted(len(header), 'column')}",
                hint=f'Put a text that contains "{delimiter}" between double quotes.',
            )
        cells += [""] * (len(header) - len(cells))
        yield dict(zip(header, cells, strict=False))


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _arrow_rows(path: Path, form: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet or Arrow file, batch by batch."""
    try:
        arrow = importlib.import_module("pyarrow")
    except ModuleNotFoundError:
        raise WorkloadError(
            f"{path} needs the library pyarrow",
            hint="Install it with: pip install pyarrow. Or save the rows as .jsonl.",
        ) from None
    with path.open("rb") as file:
        try:
            if form in (".parquet", ".pq"):
                parquet = importlib.import_module("pyarrow.parquet")
                batches = parquet.ParquetFile(file).iter_batches(batch_size=1024)
            elif form == ".feather":
                batches = importlib.import_module("pyarrow.feather").read_table(file).to_batches()
            elif file.read(6) == b"ARROW1":
                reader = arrow.ipc.open_file(file)
                batches = map(reader.get_batch, range(reader.num_record_batches))
            else:
                file.seek(0)
                batches = arrow.ipc.open_stream(file)
            for batch in batches:
                yield from batch.to_pylist()
        except arrow.ArrowException as error:
            raise WorkloadError(f"{path} is no file that pyarrow reads: {error}") from error
