"""How a figure came about: measured, estimated, or not available. Needs no pydantic."""

from __future__ import annotations

from enum import StrEnum


class Provenance(StrEnum):
    """How a figure came about."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    UNAVAILABLE = "unavailable"
