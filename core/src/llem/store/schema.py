"""Versions of the outcome document, and what has to be changed to read an older one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SCHEMA_VERSION = 2
"""The version that is written."""

Document = dict[str, Any]


class UnknownSchema(ValueError):
    """A document of a version that this llem does not know."""


def upgraded(document: Document) -> Document:
    """Return ``document`` in the present version.

    Raises:
        UnknownSchema: It is of a newer version, or says none.
    """
    version = document.get("schema_version")
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        raise UnknownSchema(
            f"its schema version is {version!r}; this llem reads 1 to {SCHEMA_VERSION}"
        )
    for step in range(version, SCHEMA_VERSION):
        document = {**_UPGRADES[step](document), "schema_version": step + 1}
    return document


def _out_of_memory_is_a_status(document: Document) -> Document:
    """Version 1 called a run failed that version 2 calls out of memory."""
    failure = document.get("failure") or {}
    if failure.get("code") != "out-of-memory":
        return document
    return {**document, "status": "out-of-memory"}


_UPGRADES: dict[int, Callable[[Document], Document]] = {1: _out_of_memory_is_a_status}
"""What turns a document of each version into one of the next."""
