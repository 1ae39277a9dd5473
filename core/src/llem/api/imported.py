"""The part of an outcome that tells what another tool measured."""

from __future__ import annotations

from typing import Literal

from llem.api.config.base import FrozenModel


class Imported(FrozenModel):
    """Figures of another tool, read from its file; llem measured none of them."""

    provenance: Literal["imported"] = "imported"
    """How the figures came about."""
    tool: str
    """What measured them."""
    tool_version: str | None
    """Its version; null if the file does not say."""
    format: str
    """Format of the file."""
    file: str
    """Name of the file; `imported.json` beside this document is a copy of its content."""
    file_sha256: str
    """Hash of that content."""
    figures: dict[str, float]
    """Value by metric, in SI units; a metric that the file does not tell is not there."""
    repetitions: dict[str, tuple[float, ...]] = {}
    """Values of single repetitions, where the file has them."""
