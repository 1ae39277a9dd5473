"""Write readings as CSV, in the form that the trace meter reads."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from llem.api.meter import Quantity, Series
from llem.store.requests import compressed

SAMPLES_FILE = "samples.csv.gz"
COLUMNS = ("time_s", "meter", "device", "domain", "energy_j", "power_w", "average_power_w")
"""``time_s`` is on the monotonic clock; of the last three each row has the one that was read."""

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
            "meter": one.meter,
            "device": one.channel.device,
            "domain": one.channel.domain,
            _COLUMN[one.channel.quantity]: repr(value),
        }
        for one in series
        for time_s, value in zip(one.times_s, one.values, strict=True)
    ]
    rows.sort(key=lambda row: float(row["time_s"]))
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def store_samples(folder: Path, series: Sequence[Series]) -> None:
    """Write the readings of a whole run into an outcome's folder, compressed.

    Raises:
        OSError: The disk refused.
    """
    with (
        compressed(folder / SAMPLES_FILE) as file,
        io.TextIOWrapper(file, encoding="utf-8", newline="") as text,
    ):
        write_samples(text, series)


def read_samples(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the readings stored in an outcome's folder, by column.

    Raises:
        OSError: There are none, or they cannot be read.
    """
    with gzip.open(folder / SAMPLES_FILE, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
