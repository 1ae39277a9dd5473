"""An audit as a table and as a few lines."""

from __future__ import annotations

from llem.introspect.audit import REMEDIES, AuditReport, Fate
from llem.introspect.listing import Cell, Listing


def audit_listing(report: AuditReport, *, faults_only: bool) -> Listing:
    """Return a row for each parameter, or for each that makes the audit fail."""
    chosen = report.faults if faults_only else report.parameters
    return Listing(
        ("surface", "parameter", "default", "fate", "by, or why"),
        tuple(
            tuple(map(Cell, (one.surface, one.name, one.default_repr, one.fate, one.because)))
            for one in chosen
        ),
    )


def audit_summary(report: AuditReport) -> str:
    """Return what was compared, how many parameters met which fate, and what to do."""
    engine = report.engine
    named = f"{engine.distribution} {engine.version or ''}".strip()
    source = f"reference data of {named}" if report.from_reference else f"{named}, as installed"
    lines = [f"{report.backend}: compared with {source}"]
    if engine.message and not report.from_reference:
        lines.append(f"note: {engine.message}")
    total = sum(report.counts.values())
    counted = ", ".join(f"{count} {fate}" for fate, count in report.counts.items() if count)
    lines.append(f"{total} parameters: {counted}" if total else "no parameters")
    found = {one.fate for one in report.faults}
    lines += [f"{fate}: {REMEDIES[fate]}" for fate in Fate if fate in found]
    return "\n".join(lines)
