"""Tables as Markdown, remarks as footnotes."""

from __future__ import annotations

from llem.introspect.listing import Cell, Listing


def render_markdown(listing: Listing) -> str:
    """Return ``listing`` as a Markdown table, and its footnotes."""
    lines = [
        _row(listing.header),
        _row(["---"] * len(listing.header)),
        *(_row([_text(listing, cell) for cell in row]) for row in listing.rows),
    ]
    if listing.notes:
        notes = enumerate(listing.notes, start=1)
        lines += ["", *(f"[^{number}]: {_escape(note)}" for number, note in notes)]
    return "\n".join(lines)


def _row(texts: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _text(listing: Listing, cell: Cell) -> str:
    text = _escape(cell.text)
    return f"{text}[^{listing.number(cell)}]" if cell.note else text


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
