"""Results of Zeus: the CSV log of a ``ZeusMonitor``, with a row for each window, in joules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.figures import header, known, lengths, metered, number, table

_KEYS = {"start_time", "window_name", "elapsed_time"}
_GPU = re.compile(r"gpu(\d+)_energy")


def read(document: Any, hints: ImportHints) -> Sequence[ImportedResult] | None:
    """Return each window in ``document``; ``None`` if it is no log of Zeus.

    Args:
        document: The text of a file.
        hints: Work of each window, for energy by request and token.
    """
    names = header(document)
    if not set(names) >= _KEYS or not any(_GPU.fullmatch(name) for name in names):
        return None
    return [_window(row, hints) for row in table(document)]


def _window(row: dict[str, str], hints: ImportHints) -> ImportedResult:
    energies_j = {match[1]: number(row[name]) for name in row if (match := _GPU.fullmatch(name))}
    is_known = None not in energies_j.values()
    gross_j = sum(value for value in energies_j.values() if value is not None) if is_known else None
    duration_s = number(row["elapsed_time"])
    return ImportedResult(
        tool="zeus",
        backend="unknown",
        model="unknown",
        metrics=known(metered(gross_j, duration_s, hints)),
        energy_boundary=f"GPUs {', '.join(energies_j)} in the window {row['window_name']}",
        settings={
            "workload": lengths(hints.requests, hints.input_tokens, hints.output_tokens),
            "window": row["window_name"],
        },
        started_at=row["start_time"],
    )
