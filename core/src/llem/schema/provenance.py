"""Provenance of a figure. Needs no pydantic."""

from __future__ import annotations

from enum import StrEnum


class Provenance(StrEnum):
    """Whether a figure is measured, estimated or unavailable."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    UNAVAILABLE = "unavailable"
