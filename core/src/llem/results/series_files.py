"""The files beside an outcome: readings and phases as CSV, requests as JSON lines, compressed."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from llem.api.meters import Quantity, Series
from llem.api.session import Request, RunResult

SAMPLES_FILE = "samples.csv.gz"
SAMPLE_COLUMNS = ("time_s", "meter", "device", "domain", "energy_j", "power_w", "average_power_w")
"""``time_s`` is on the monotonic clock; each row fills one of the last three columns."""

_COLUMN = {
    Quantity.ENERGY: "energy_j",
    Quantity.POWER: "power_w",
    Quantity.AVERAGE_POWER: "average_power_w",
}


def write_samples(file: TextIO, series: Sequence[Series]) -> None:
    """Write a row for each reading of each channel, in time order.

    Raises:
        OSError: The file cannot be written.
    """
    rows = [
        {
            "time_s": repr(time_s),
            "meter": channel_series.meter,
            "device": channel_series.channel.device,
            "domain": channel_series.channel.domain,
            _COLUMN[channel_series.channel.quantity]: repr(value),
        }
        for channel_series in series
        for time_s, value in zip(channel_series.times_s, channel_series.values, strict=True)
    ]
    rows.sort(key=lambda row: float(row["time_s"]))
    writer = csv.DictWriter(file, SAMPLE_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def store_samples(folder: Path, series: Sequence[Series]) -> None:
    """Write the readings of a whole run into an outcome's folder, compressed.

    Raises:
        OSError: The disk refused.
    """
    with compressed(folder / SAMPLES_FILE) as file:
        write_samples(file, series)


def read_samples(folder: Path) -> Iterator[dict[str, str]]:
    """Return the readings stored in an outcome's folder, by column.

    Raises:
        OSError: The file is missing or cannot be read.
    """
    return _rows(folder / SAMPLES_FILE)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


REQUESTS_FILE = "requests.jsonl.gz"


def write_requests(folder: Path, requests: Sequence[Request], runs: Sequence[RunResult]) -> None:
    """Write the lengths and the result of each request, in measured order.

    Raises:
        OSError: The disk refused.
    """
    prompts = {request.index: len(request.prompt_ids) for request in requests}
    with compressed(folder / REQUESTS_FILE) as file:
        for repetition, run in enumerate(runs):
            for result in run.requests:
                line = {
                    "repetition": repetition,
                    "input_tokens": prompts[result.index],
                    "output_tokens": len(result.output_ids),
                    **result.to_json(),
                }
                file.write(json.dumps(line, separators=(",", ":")) + "\n")


@contextmanager
def compressed(path: Path) -> Iterator[TextIO]:
    """Open ``path`` for writing; equal content gives equal bytes.

    Raises:
        OSError: The disk refused.
    """
    with (
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=5, mtime=0) as file,
        io.TextIOWrapper(file, encoding="utf-8", newline="") as text,
    ):
        yield text


def read_requests(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the requests stored in an outcome's folder.

    Raises:
        OSError: The file is missing or cannot be read.
    """
    with gzip.open(folder / REQUESTS_FILE, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


PHASES_FILE = "phases.csv.gz"
PHASE_COLUMNS = ("phase", "start_s", "end_s")
"""``phase`` is prefill, decode or mixed; times are on the monotonic clock."""

Spans = Mapping[str, Sequence[tuple[float, float]]]
"""Disjoint stretches of time by phase, in order."""


def store_phases(folder: Path, spans: Spans) -> None:
    """Write the phases of a run's windows into an outcome's folder, compressed, in time order.

    Raises:
        OSError: The disk refused.
    """
    rows = sorted((start, end, phase) for phase, found in spans.items() for start, end in found)
    with compressed(folder / PHASES_FILE) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(PHASE_COLUMNS)
        writer.writerows((phase, repr(start), repr(end)) for start, end, phase in rows)


def read_phases(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Return the spans of each phase stored in an outcome's folder.

    Raises:
        OSError: The file is missing or cannot be read.
        ValueError: The file does not have the documented form.
        KeyError: A column is missing.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for row in _rows(folder / PHASES_FILE):
        span = (float(row["start_s"]), float(row["end_s"]))
        found.setdefault(row["phase"], []).append(span)
    return found
