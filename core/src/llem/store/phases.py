"""When prompts were read and when tokens were generated, as CSV."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from llem.store.requests import compressed

PHASES_FILE = "phases.csv.gz"
COLUMNS = ("phase", "start_s", "end_s")
"""``phase`` is prefill, decode or mixed; times are on the monotonic clock, as those of samples."""

Spans = Mapping[str, Sequence[tuple[float, float]]]
"""Disjoint stretches of time by phase, in order."""


def store_phases(folder: Path, spans: Spans) -> None:
    """Write the phases of a run's windows into an outcome's folder, compressed, in time order.

    Raises:
        OSError: The disk refused.
    """
    rows = sorted((start, end, phase) for phase, found in spans.items() for start, end in found)
    with (
        compressed(folder / PHASES_FILE) as file,
        io.TextIOWrapper(file, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((phase, repr(start), repr(end)) for start, end, phase in rows)


def read_phases(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Return the phases stored in an outcome's folder; one that never was is not there.

    Raises:
        OSError: There are none, or they cannot be read.
        ValueError: The file does not have the documented form.
        KeyError: Likewise.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    with gzip.open(folder / PHASES_FILE, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            span = (float(row["start_s"]), float(row["end_s"]))
            found.setdefault(row["phase"], []).append(span)
    return found
