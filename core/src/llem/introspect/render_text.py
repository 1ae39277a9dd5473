"""Tables as plain text, aligned in columns.

A library for this costs more to import than everything else that a listing does.
"""

from __future__ import annotations

from llem.introspect.listing import Cell, Listing

_GAP = "  "


def render_text(listing: Listing) -> str:
    """Return ``listing`` as lines of text, remarks below it."""
    table = [listing.header] if listing.header else []
    table += [tuple(_text(listing, cell) for cell in row) for row in listing.rows]
    columns = [_align(column) for column in zip(*table, strict=True)]
    lines = [_GAP.join(row).rstrip() for row in zip(*columns, strict=True)]
    if listing.header:
        lines.insert(1, _GAP.join("-" * len(column[0]) for column in columns))
    if listing.notes:
        lines += ["", *(f"({i}) {note}" for i, note in enumerate(listing.notes, start=1))]
    return "\n".join(lines)


def _align(column: tuple[str, ...]) -> list[str]:
    width = max(map(len, column))
    # The first one may be the header.
    is_numbers = all(text.replace(",", "").isdecimal() for text in column[1:])
    return [text.rjust(width) if is_numbers else text.ljust(width) for text in column]


def _text(listing: Listing, cell: Cell) -> str:
    # A plugin's message may have several lines; a cell has one.
    text = " ".join(cell.text.split())
    return f"{text} ({listing.number(cell)})" if cell.note else text
