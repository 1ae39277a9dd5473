"""Readings of an external meter from its file, which may still grow.

Besides llem's own columns it knows those of ``nvidia-smi --query-gpu=timestamp,uuid,power.draw
--format=csv`` (``nvidia-smi --help-query-gpu``), whose cells may carry their unit.
"""

from __future__ import annotations

import csv
import errno
import json
import math
import re
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from llem.api.meters import Channel, Meter, Quantity, Reading
from llem.schema.measurement import TraceConfig

_QUANTITIES = {
    "energy_j": Quantity.ENERGY,
    "power_w": Quantity.POWER,
    "average_power_w": Quantity.AVERAGE_POWER,
}

_OF_NVIDIA_SMI = {
    "time": ("timestamp",),
    "device": ("uuid", "gpu_uuid", "index"),
    "power_w": ("power.draw.instant",),
    # "Averaged over 1 sec" since Ampere.
    "average_power_w": ("power.draw.average", "power.draw"),
}
"""Columns of nvidia-smi by llem's names, the first that is there."""

_UNITS = {
    "": 1.0, "W": 1.0, "mW": 1e-3, "kW": 1e3, "J": 1.0, "mJ": 1e-3, "kJ": 1e3,
    "Wh": 3600.0, "kWh": 3.6e6,
}  # fmt: skip

_UNAVAILABLE = ("N/A", "[N/A]", "[Not Supported]", "[Unknown Error]", "[GPU is lost]")
"""Cells of a value that the logger could not read."""

WALL = "wall"
"""Domain of a whole machine."""

_ACCELERATORS = ("cuda:", "rocm:")

MOST_BYTES = 2**30
"""Largest trace: a reading every millisecond for weeks."""

MOST_IN_LINE = 2**20
"""Longest line of a trace."""

ChannelKey = tuple[str, str, Quantity]
"""Device, domain and quantity, which identify a channel."""


@dataclass(frozen=True, slots=True)
class TraceRow:
    """A row of the file.

    Attributes:
        line: Its line in the file, from 1.
        time_s: Its time in the file, in seconds.
        channel: What its value belongs to.
        value: Joules or watts; ``None`` if the logger could not read it.
    """

    line: int
    time_s: float
    channel: ChannelKey
    value: float | None


class TraceFile:
    """A file that a meter may still write to.

    Args:
        config: The file, its columns, and what rows belong to that do not say so.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, config: TraceConfig) -> None:
        self.config = config
        self.path = Path(config.file).expanduser()
        self._json = self.path.suffix in {".jsonl", ".ndjson"}
        self._header: list[str] | None = None
        self._units: list[str] = []
        self._delimiter = ","
        self._line = 0
        self._rest = b""
        try:
            # Looked at before it is opened: a pipe would wait there, and a device never ends.
            size = self.path.stat().st_size if self.path.is_file() else -1
            if size < 0 and self.path.exists():
                raise OSError(errno.EINVAL, "it is no regular file")
            if size > MOST_BYTES:
                raise OSError(errno.EFBIG, f"it is larger than {MOST_BYTES:,} bytes")
            self._file = self.path.open("rb")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OSError(f"{self.path} cannot be read: {reason}") from error

    @property
    def quantity(self) -> Quantity | None:
        """Quantity that the header names; ``None`` without a header, or if it names several."""
        header = self._header or ()
        found = [q for name, q in _QUANTITIES.items() if self._column(name, header)]
        return found[0] if len(found) == 1 else None

    def rows(self) -> list[TraceRow | str]:
        """Return the rows that were completed since the last call, or why a row is unreadable.

        Raises:
            OSError: The file cannot be read.
        """
        *lines, self._rest = (self._rest + self._file.read(MOST_BYTES)).split(b"\n")
        if max(map(len, (*lines, self._rest))) > MOST_IN_LINE:
            raise OSError(f"{self.path}: a line has more than {MOST_IN_LINE:,} bytes")
        found: list[TraceRow | str] = []
        for raw in lines:
            self._line += 1
            text = raw.decode("utf-8-sig", errors="replace").strip()
            if not text or text.startswith("#"):
                continue
            if not self._json and self._header is None:
                self._take_header(text)
                continue
            found += self._rows(text)
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _take_header(self, text: str) -> None:
        self._delimiter = max(",;\t", key=text.count)
        cells = [cell.strip() for cell in next(csv.reader([text], delimiter=self._delimiter))]
        parts = [re.fullmatch(r"(.*?)(?: \[(\w+)\])?", cell) for cell in cells]
        self._header = [
            cell if cell in self.config.columns.values() or part is None else part[1]
            for cell, part in zip(cells, parts, strict=True)
        ]
        self._units = [(part and part[2]) or "" for part in parts]

    def _column(self, name: str, there: Container[str]) -> str:
        """Return the file's name of one of llem's columns; empty if it is not there."""
        columns: Mapping[Any, str] = self.config.columns
        if name in columns:
            return columns[name] if columns[name] in there else ""
        return next((each for each in (name, *_OF_NVIDIA_SMI.get(name, ())) if each in there), "")

    def _rows(self, text: str) -> list[TraceRow | str]:
        """Return the values of a line, one for each quantity, or why it cannot be read."""
        try:
            fields = self._fields(text)
            present = [name for name in _QUANTITIES if self._get(fields, name) is not None]
            of_nvidia_smi = all(self._column(name, fields) != name for name in present)
            if not present or (len(present) > 1 and not of_nvidia_smi):
                return [f"line {self._line} needs one of {', '.join(_QUANTITIES)}"]
            time_s = self._time_s(fields)
            values = [self._value(self._get(fields, name)) for name in present]
        except (ValueError, TypeError, csv.Error) as error:
            return [f"line {self._line} cannot be read: {error}"]
        if not all(math.isfinite(number) for number in (time_s, *filter(None, values))):
            return [f"line {self._line} holds no number"]
        device, domain = self._place(fields)
        return [
            TraceRow(self._line, time_s, (device, domain, _QUANTITIES[name]), value)
            for name, value in zip(present, values, strict=True)
        ]

    def _fields(self, text: str) -> Mapping[str, Any]:
        if self._json:
            fields = json.loads(text)
            if not isinstance(fields, dict):
                raise ValueError("not an object")
            return {
                name: value.strip() if isinstance(value, str) else value
                for name, value in fields.items()
            }
        values = [cell.strip() for cell in next(csv.reader([text], delimiter=self._delimiter))]
        header = self._header or ()
        if len(values) != len(header):
            raise ValueError(f"it has {len(values)} cells, and the header has {len(header)}")
        return {
            name: f"{value} {unit}" if unit and re.fullmatch(r"[-+.\deE]+", value) else value
            for name, unit, value in zip(header, self._units, values, strict=True)
        }

    def _place(self, fields: Mapping[str, Any]) -> tuple[str, str]:
        """Return device and domain; a GPU is named as the engine names it."""
        column = self._column("device", fields)
        device = str(self._get(fields, "device") or self.config.device)
        of_nvidia_smi = column in _OF_NVIDIA_SMI["device"]
        if device.startswith("GPU-") or (of_nvidia_smi and not device.startswith("cuda:")):
            device = f"cuda:{device}"
        domain = "board" if of_nvidia_smi else self.config.domain
        return device, str(self._get(fields, "domain") or domain)

    def _value(self, cell: object) -> float | None:
        """Return a cell in watts or joules; ``None`` if the logger could not read it."""
        if not isinstance(cell, str):
            return float(cell)  # type: ignore[arg-type]
        if cell in _UNAVAILABLE:
            return None
        found = re.fullmatch(r"(\S+?) ?([a-zA-Z]*)", cell)
        unit = found[2] if found else ""
        if found is None or unit not in _UNITS:
            return float(cell)
        return float(found[1]) * _UNITS[unit]

    def _time_s(self, fields: Mapping[str, Any]) -> float:
        seconds = self._get(fields, "time_s")
        if seconds is not None:
            return float(seconds)
        moment = self._get(fields, "time")
        if moment is None:
            raise ValueError("there is neither time_s nor time")
        # A time without a zone is this machine's local time; nvidia-smi writes 2026/11/27.
        iso = re.sub(r"^(\d{4})/(\d\d)/(\d\d)", r"\1-\2-\3", str(moment))
        return datetime.fromisoformat(iso).timestamp()

    def _get(self, fields: Mapping[str, Any], name: str) -> Any:
        """Return a field by llem's name of its column; ``None`` if it is empty or missing."""
        value = fields.get(self._column(name, fields))
        return None if value == "" else value


class TraceMeter(Meter):
    """Follows a file of timestamped power or energy.

    A row becomes a reading when its time has come, whether it was in the file at the start or
    appended later: a recorded file plays back, and a growing file is followed.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._file: TraceFile | None = None
        self._channels: dict[ChannelKey, int] = {}
        self._latest_s: list[float] = []
        self._waiting: list[TraceRow] = []
        self._shift_s = 0.0

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Read the file so far and return a channel for each domain in it.

        Raises:
            OSError: The file cannot be read, or names no quantity.
        """
        if not self.options.get("trace"):
            raise OSError("no file is given: set measurement.trace.file")
        config = TraceConfig.model_validate(self.options["trace"])
        self._file = file = TraceFile(config)
        for row in file.rows():
            if isinstance(row, str):
                raise OSError(f"{file.path}: {row}")
            self._waiting.append(row)
        keys = dict.fromkeys(row.channel for row in self._waiting)
        if not keys and file.quantity is not None:
            keys = {(config.device, config.domain, file.quantity): None}
        if not keys:
            raise OSError(f"{file.path}: no row shows yet what the file holds")
        self._channels = {key: at for at, key in enumerate(keys)}
        self._latest_s = [-math.inf] * len(keys)
        if config.clock == "replay" and self._waiting:
            self._shift_s = time.monotonic() - min(row.time_s for row in self._waiting)
        return tuple(_channel(file, *key) for key in keys)

    def read(self) -> Sequence[Reading]:
        """Return every row whose time has come since the last call."""
        assert self._file is not None
        now_s = time.monotonic()
        readings = self._arrivals(self._file, now_s)
        later: list[TraceRow] = []
        for row in self._waiting:
            moment_s = self._monotonic_s(self._file.config, row.time_s, now_s)
            if moment_s > now_s:
                later.append(row)
            elif (channel := self._channels.get(row.channel)) is not None:
                readings.append(self._reading(channel, moment_s, row))
        self._waiting = later
        return readings

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._waiting, self._channels = None, [], {}

    def _arrivals(self, file: TraceFile, now_s: float) -> list[Reading]:
        """Take in appended rows; return a failed reading of every channel for each unreadable row.

        An unreadable row may belong to any channel.
        """
        problems = []
        try:
            for row in file.rows():
                if isinstance(row, str):
                    problems.append(row)
                else:
                    self._waiting.append(row)
        except OSError as error:
            problems.append(str(error))
        channels = range(len(self._channels))
        return [Reading(at, now_s, None, error=text) for text in problems for at in channels]

    def _monotonic_s(self, config: TraceConfig, time_s: float, now_s: float) -> float:
        moment_s = time_s + config.offset_s
        match config.clock:
            case "monotonic":
                return moment_s
            case "replay":
                return moment_s + self._shift_s
            case "wall":
                return moment_s - time.time() + now_s

    def _reading(self, channel: int, moment_s: float, row: TraceRow) -> Reading:
        if moment_s <= self._latest_s[channel]:
            return Reading(channel, moment_s, None, error=f"line {row.line} goes back in time")
        self._latest_s[channel] = moment_s
        error = f"line {row.line} has no value" if row.value is None else ""
        return Reading(channel, moment_s, row.value, error=error)


def _channel(file: TraceFile, device: str, domain: str, quantity: Quantity) -> Channel:
    config = file.config
    return Channel(
        device=device,
        domain=domain,
        quantity=quantity,
        update_period_s=config.update_period_s,
        resolution=config.resolution,
        wraps_at_j=config.wraps_at_j if quantity is Quantity.ENERGY else None,
        gain_error_ratio=config.gain_error_ratio,
        # What comes out of the wall is in no other device besides.
        covers=("*",) if domain == WALL and not device.startswith(_ACCELERATORS) else (),
        note=f"from {file.path.name}",
    )
