"""A table, and its rendering as text and as Markdown; and any answer as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: Its text.
        note: A footnote, or empty.
    """

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        header: Names of the columns; empty for a table without a header.
        rows: Its rows, each as long as the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def of_texts(cls, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Self:
        """Return a table without footnotes."""
        return cls(tuple(header), tuple(tuple(map(Cell, row)) for row in rows))

    @property
    def notes(self) -> tuple[str, ...]:
        """Every footnote once, in reading order; the first has number 1."""
        found = (cell.note for row in self.rows for cell in row if cell.note)
        return tuple(dict.fromkeys(found))

    def number(self, cell: Cell) -> int:
        """Return the number of a cell's footnote."""
        return self.notes.index(cell.note) + 1


_GAP = "  "


def render_text(table: Table) -> str:
    """Return ``table`` as lines of text, its footnotes below."""
    rows = [table.header] if table.header else []
    rows += [tuple(_text_cell(table, cell) for cell in row) for row in table.rows]
    columns = [_align(column) for column in zip(*rows, strict=True)]
    lines = [_GAP.join(row).rstrip() for row in zip(*columns, strict=True)]
    if table.header:
        lines.insert(1, _GAP.join("-" * len(column[0]) for column in columns))
    if table.notes:
        lines += ["", *(f"({i}) {note}" for i, note in enumerate(table.notes, start=1))]
    return "\n".join(lines)


def _align(column: tuple[str, ...]) -> list[str]:
    width = max(map(len, column))
    # The first text may be the header.
    is_numbers = all(text.replace(",", "").isdecimal() for text in column[1:])
    return [text.rjust(width) if is_numbers else text.ljust(width) for text in column]


def _text_cell(table: Table, cell: Cell) -> str:
    # A plugin's message may have several lines; a cell has a single line.
    text = " ".join(cell.text.split())
    return f"{text} ({table.number(cell)})" if cell.note else text


def render_markdown(table: Table, *, literal: bool = False) -> str:
    """Return ``table`` in Markdown, its footnotes below.

    Args:
        table: The table.
        literal: Whether to escape Markdown and HTML in the cells: for text that llem did not write.
    """
    escape = escape_markdown if literal else _escape_pipes

    def cell_text(cell: Cell) -> str:
        return escape(cell.text) + (f"[^{table.number(cell)}]" if cell.note else "")

    rows = [
        [escape(name) for name in table.header],
        ["---"] * len(table.header),
        *([cell_text(cell) for cell in row] for row in table.rows),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if table.notes:
        notes = enumerate(table.notes, start=1)
        lines += ["", *(f"[^{number}]: {escape(note)}" for number, note in notes)]
    return "\n".join(lines)


def escape_markdown(text: str) -> str:
    """Return ``text`` on one line, without any effect as Markdown or HTML."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\\", r"\\").translate({ord(sign): f"\\{sign}" for sign in "|`*_[]"})


def _escape_pipes(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def render_json(answer: Any) -> str:
    """Return a dataclass, a sequence of them, or JSON data as indented JSON."""
    return json.dumps(_plain(answer), indent=2, ensure_ascii=False)


def _plain(answer: Any) -> Any:
    if is_dataclass(answer) and not isinstance(answer, type):
        return asdict(answer)
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return [_plain(item) for item in answer]
    return answer
