"""Hooks of the built-in importers."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.hookspecs import hookimpl
from llem.api.imports import ImportFormat


@hookimpl
def llem_imports() -> Sequence[ImportFormat]:
    """Offer the formats of tools that run several engines."""
    return (
        ImportFormat(
            name="optimum-benchmark",
            summary="benchmark.json or benchmark_report.json of optimum-benchmark",
            reader="llem.builtin.imports.optimum_benchmark.read",
        ),
    )
