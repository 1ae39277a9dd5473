"""Answers as tables, for whatever renders them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

from llem.api.meters import Quantity

if TYPE_CHECKING:
    from llem.api.meters import Channel
    from llem.introspect.capability_matrix import Answer, CapabilityMatrix
    from llem.introspect.doctor import Check
    from llem.introspect.installed import MeterSummary, PluginSummary, ShapeSummary

# Only names: a listing of capabilities must not import what the others need.


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: What it says.
        note: A remark to be set below the table, or empty.
    """

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A table.

    Attributes:
        header: Names of the columns; empty for a table without.
        rows: Its rows, each as long as the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Every remark once, in reading order; the first one has number 1."""
        found = (cell.note for row in self.rows for cell in row if cell.note)
        return tuple(dict.fromkeys(found))

    def number(self, cell: Cell) -> int:
        """Return the number of a cell's remark."""
        return self.notes.index(cell.note) + 1


def capability_listing(matrix: CapabilityMatrix) -> Listing:
    """Return a row for each capability and a column for each backend."""
    names = [backend.name for backend in matrix.backends]
    rows = [
        (Cell(row.capability), *(_claim(row.claims[name]) for name in names)) for row in matrix.rows
    ]
    return Listing(("capability", *names), tuple(rows))


def _claim(claim: Answer) -> Cell:
    requires = f"needs {', '.join(claim.requires)}" if claim.requires else ""
    parts = [claim.note, requires]
    if claim.missing is None or not claim.requires:
        return Cell(claim.level, "; ".join(filter(None, parts)))
    if claim.missing:
        return Cell("not here", "; ".join(filter(None, parts)))
    return Cell(f"{claim.level}, here", claim.note)


def plugin_listing(plugins: Sequence[PluginSummary]) -> Listing:
    """Return a row for each plugin."""
    return _listing(
        ("plugin", "status", "provided by", "engine", "summary"),
        [
            (
                one.name,
                one.status,
                f"{one.distribution} {one.version}",
                _engine(one),
                one.message or one.summary or _meters(one),
            )
            for one in plugins
        ],
    )


def plugin_details(plugins: Sequence[PluginSummary]) -> Listing:
    """Return everything about some plugins, a row for each fact."""
    return _listing((), [row for one in plugins for row in _facts(one) if row[1]])


def _facts(one: PluginSummary) -> Sequence[tuple[str, str]]:
    return (
        ("plugin", one.name),
        ("status", one.status),
        ("message", one.message),
        ("provided by", f"{one.distribution} {one.version}"),
        ("module", one.module),
        ("summary", one.summary),
        ("engine", (one.engine.message or _engine(one)) if one.engine else ""),
        ("devices", ", ".join(one.devices)),
        ("hooks", ", ".join(one.hooks)),
        ("meters", ", ".join(one.meters)),
    )


def _engine(one: PluginSummary) -> str:
    if one.engine is None:
        return "none"
    if one.engine.version is None:
        return f"{one.engine.distribution}: not installed"
    remark = "" if one.engine.supported else ": not supported"
    return f"{one.engine.distribution} {one.engine.version}{remark}"


def _meters(one: PluginSummary) -> str:
    return f"meters: {', '.join(one.meters)}" if one.meters else ""


def meter_listing(meters: Sequence[MeterSummary]) -> Listing:
    """Return a row for each meter."""
    return _listing(
        ("meter", "works here", "figures", "devices", "reads", "remark"),
        [
            (
                one.name,
                "yes" if one.available else "no",
                one.provenance,
                ", ".join(one.devices) or one.device_kind,
                "; ".join(dict.fromkeys(_resolution(channel) for channel in one.channels)) or "-",
                one.reason or one.summary,
            )
            for one in meters
        ],
    )


def _resolution(channel: Channel) -> str:
    """Say what a channel reads, how often it is renewed and in which steps, as far as known."""
    parts = [str(channel.quantity)]
    if channel.update_period_s is not None:
        parts.append(f"every {channel.update_period_s:g} s")
    if channel.resolution:
        unit = "J" if channel.quantity is Quantity.ENERGY else "W"
        parts.append(f"in steps of {channel.resolution:.3g} {unit}")
    return " ".join(parts)


def shape_listing(shapes: Sequence[ShapeSummary]) -> Listing:
    """Return a row for each embedded shape."""
    header = (
        "model.id", "parameters", "bf16 bytes", "KV bytes/token", "layers", "hidden", "heads",
        "KV heads", "MLP", "vocabulary", "remark",
    )  # fmt: skip
    return _listing(
        header,
        [
            (
                one.model_id,
                f"{one.parameters:,}",
                f"{one.weights_bytes:,}",
                f"{one.kv_bytes_per_token:,}",
                str(one.layers),
                str(one.hidden_size),
                str(one.heads),
                str(one.kv_heads),
                str(one.intermediate_size),
                str(one.vocab_size),
                one.summary,
            )
            for one in shapes
        ],
    )


def check_listing(checks: Sequence[Check]) -> Listing:
    """Return a row for each check."""
    return _listing((), [(one.state, one.name, one.message) for one in checks])


def _listing(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Listing:
    return Listing(header, tuple(tuple(Cell(text) for text in row) for row in rows))


_GAP = "  "


def render_text(listing: Listing) -> str:
    """Return ``listing`` as lines of text, remarks below it."""
    table = [listing.header] if listing.header else []
    table += [tuple(_plain_cell(listing, cell) for cell in row) for row in listing.rows]
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


def _plain_cell(listing: Listing, cell: Cell) -> str:
    # A plugin's message may have several lines; a cell has one.
    text = " ".join(cell.text.split())
    return f"{text} ({listing.number(cell)})" if cell.note else text


def render_markdown(listing: Listing) -> str:
    """Return ``listing`` as a Markdown table, and its footnotes."""
    lines = [
        _row(listing.header),
        _row(["---"] * len(listing.header)),
        *(_row([_markdown_cell(listing, cell) for cell in row]) for row in listing.rows),
    ]
    if listing.notes:
        notes = enumerate(listing.notes, start=1)
        lines += ["", *(f"[^{number}]: {_escape(note)}" for number, note in notes)]
    return "\n".join(lines)


def _row(texts: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _markdown_cell(listing: Listing, cell: Cell) -> str:
    text = _escape(cell.text)
    return f"{text}[^{listing.number(cell)}]" if cell.note else text


def _escape(text: str) -> str:
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
