"""llem measures the energy, speed, memory and arithmetic of LLM inference on any engine.

The package is a set of rooms, each with one idea; ``docs/explain/architecture.md`` is the map.
Importing it imports nothing else, so that the command line starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__version__ = "0.1.0"


def load_results(path: str | Path) -> list[dict[str, Any]]:
    """Return the outcomes in the folder ``path`` as flat records, for pandas or polars.

    See :func:`llem.results.outcome_rows.load_results`.

    Raises:
        StorageError: There is no such folder, or an outcome in it cannot be read.
    """
    # By its name, because the worker imports this package too, and has no business in the store.
    records: list[dict[str, Any]] = import_module("llem.results.outcome_rows").load_results(path)
    return records
