"""What is installed, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llem.api.meters import Quantity
from llem.tables import Cell, Table

if TYPE_CHECKING:
    from llem.api.meters import Channel
    from llem.introspect.capability_matrix import Answer, CapabilityMatrix
    from llem.introspect.doctor import Check
    from llem.introspect.installed import MeterSummary, PluginSummary, ShapeSummary

# Only names: a listing of capabilities must not import what the others need.


def capability_listing(matrix: CapabilityMatrix) -> Table:
    """Return a row for each capability and a column for each backend."""
    names = [backend.name for backend in matrix.backends]
    rows = [
        (Cell(row.capability), *(_claim(row.claims[name]) for name in names)) for row in matrix.rows
    ]
    return Table(("capability", *names), tuple(rows))


def _claim(claim: Answer) -> Cell:
    requires = f"needs {', '.join(claim.requires)}" if claim.requires else ""
    parts = [claim.note, requires]
    if claim.missing is None or not claim.requires:
        return Cell(claim.level, "; ".join(filter(None, parts)))
    if claim.missing:
        return Cell("not here", "; ".join(filter(None, parts)))
    return Cell(f"{claim.level}, here", claim.note)


def plugin_listing(plugins: Sequence[PluginSummary]) -> Table:
    """Return a row for each plugin."""
    return Table.of_texts(
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


def plugin_details(plugins: Sequence[PluginSummary]) -> Table:
    """Return everything about some plugins, a row for each fact."""
    return Table.of_texts((), [row for one in plugins for row in _facts(one) if row[1]])


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


def meter_listing(meters: Sequence[MeterSummary]) -> Table:
    """Return a row for each meter."""
    return Table.of_texts(
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


def shape_listing(shapes: Sequence[ShapeSummary]) -> Table:
    """Return a row for each embedded shape."""
    header = (
        "model.id", "parameters", "bf16 bytes", "KV bytes/token", "layers", "hidden", "heads",
        "KV heads", "MLP", "vocabulary", "remark",
    )  # fmt: skip
    return Table.of_texts(
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


def check_listing(checks: Sequence[Check]) -> Table:
    """Return a row for each check."""
    return Table.of_texts((), [(one.state, one.name, one.message) for one in checks])
