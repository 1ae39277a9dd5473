"""What is known about one plugin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """State of a plugin."""

    OK = "ok"
    BROKEN = "broken"
    DUPLICATE = "duplicate"
    INCOMPATIBLE = "incompatible"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One installed plugin.

    Attributes:
        name: Name of its entry point.
        module: Dotted name of its module.
        distribution: Distribution that brings it.
        version: Version of that distribution.
        status: Its state; ``ok`` until something shows otherwise.
        message: Why it is not ok, and what to do; or that it is slow.
    """

    name: str
    module: str
    distribution: str
    version: str
    status: Status = Status.OK
    message: str = ""
