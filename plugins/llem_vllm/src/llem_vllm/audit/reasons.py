"""One reason for many parameters."""

from __future__ import annotations


def because(reason: str, *names: str) -> dict[str, str]:
    """Return ``reason`` for each of ``names``."""
    return dict.fromkeys(names, reason)
