"""The rows of a growing CSV or JSON-lines file."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from llem.api.meter import Quantity

_QUANTITIES = {
    "energy_j": Quantity.ENERGY,
    "power_w": Quantity.POWER,
    "average_power_w": Quantity.AVERAGE_POWER,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        line: Its line in the file, from 1.
        time_s: Its time as the file gives it, in seconds.
        quantity: What its value means.
        value: Joules or watts.
        device: Device, or empty.
        domain: Domain, or empty.
    """

    line: int
    time_s: float
    quantity: Quantity
    value: float
    device: str
    domain: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be understood, and why."""

    problem: str


class TraceFile:
    """A file that may still be written to.

    Args:
        path: The file.
        columns: Names of its columns, by the name that llem gives them.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: str, columns: Mapping[str, str]) -> None:
        self.path = Path(path).expanduser()
        self._columns = columns
        self._json = self.path.suffix in {".jsonl", ".ndjson"}
        self._header: list[str] | None = None
        self._line = 0
        self._rest = b""
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise OSError(f"{self.path} cannot be read: {error.strerror}") from error

    @property
    def quantity(self) -> Quantity | None:
        """What the header says the values mean; ``None`` without one, or if it names several."""
        header = self._header or ()
        found = [q for name, q in _QUANTITIES.items() if self._columns.get(name, name) in header]
        return found[0] if len(found) == 1 else None

    def rows(self) -> list[Row | BadRow]:
        """Return the rows that were completed since the last call.

        Raises:
            OSError: The file cannot be read.
        """
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        found: list[Row | BadRow] = []
        for raw in lines:
            self._line += 1
            text = raw.decode("utf-8-sig", errors="replace").strip()
            if not text or text.startswith("#"):
                continue
            if not self._json and self._header is None:
                self._header = [name.strip() for name in next(csv.reader([text]))]
                continue
            found.append(self._row(text))
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _row(self, text: str) -> Row | BadRow:
        try:
            fields = self._fields(text)
            present = [name for name in _QUANTITIES if self._get(fields, name) is not None]
            if len(present) != 1:
                return BadRow(f"line {self._line} needs one of {', '.join(_QUANTITIES)}")
            value = float(self._get(fields, present[0]))
            time_s = self._time_s(fields)
        except (ValueError, TypeError, csv.Error) as error:
            return BadRow(f"line {self._line} cannot be read: {error}")
        if not (math.isfinite(value) and math.isfinite(time_s)):
            return BadRow(f"line {self._line} holds no number")
        device, domain = (str(self._get(fields, name) or "") for name in ("device", "domain"))
        return Row(self._line, time_s, _QUANTITIES[present[0]], value, device, domain)

    def _fields(self, text: str) -> Mapping[str, Any]:
        if self._json:
            fields = json.loads(text)
            if not isinstance(fields, dict):
                raise ValueError("not an object")
            return fields
        values = next(csv.reader([text]))
        return dict(zip(self._header or (), values, strict=False))

    def _time_s(self, fields: Mapping[str, Any]) -> float:
        seconds = self._get(fields, "time_s")
        if seconds is not None:
            return float(seconds)
        moment = self._get(fields, "time")
        if moment is None:
            raise ValueError("there is neither time_s nor time")
        # A time without a zone is this machine's local time.
        return datetime.fromisoformat(moment).timestamp()

    def _get(self, fields: Mapping[str, Any], column: str) -> Any:
        """Return a field by the name that llem gives it; ``None`` if it is empty or missing."""
        value = fields.get(self._columns.get(column, column))
        return None if value == "" else value
