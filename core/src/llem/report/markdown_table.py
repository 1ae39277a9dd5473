"""Tables in Markdown in which nothing acts as Markdown or HTML."""

from __future__ import annotations

from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table; the first row is its header."""
    header, *others = rows
    return [_row(header), f"|{'---|' * len(header)}", *map(_row, others)]


def escaped(text: str) -> str:
    """Return ``text`` on one line, with nothing left in it that means something."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\\", r"\\").translate({ord(sign): f"\\{sign}" for sign in "|`*_[]"})


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"
