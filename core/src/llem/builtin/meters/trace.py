"""Readings of an external meter from the file it writes, or once wrote."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from llem.api.config.trace import TraceConfig
from llem.api.meter import Channel, Meter, Probe, Quantity, Reading
from llem.builtin.meters.trace_file import BadRow, Row, TraceFile

Place = tuple[str, str, Quantity]
"""Device, domain and quantity: what makes a channel."""


class TraceMeter(Meter):
    """Follows a file of timestamped power or energy.

    Rows become readings when their time has come, those that are appended later included; so a
    recorded file plays back, and a growing one is followed.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        given = options.get("trace")
        self._config = TraceConfig.model_validate(given) if given else None
        self._file: TraceFile | None = None
        self._channels: dict[Place, int] = {}
        self._latest_s: list[float] = []
        self._waiting: list[Row] = []
        self._shift_s = 0.0

    def probe(self) -> Probe:
        """Say what the file offers, or what is wrong with it."""
        try:
            channels = self.open(())
        except OSError as error:
            return Probe(available=False, reason=str(error))
        finally:
            self.close()
        return Probe(available=True, channels=tuple(channels))

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Read what the file holds already and return a channel for each domain in it.

        Raises:
            OSError: It cannot be read, or does not say what it holds.
        """
        if self._config is None:
            raise OSError("no file is given: set measurement.trace.file")
        self._file = file = TraceFile(self._config.file, self._config.columns)
        for one in file.rows():
            if isinstance(one, BadRow):
                raise OSError(f"{file.path}: {one.problem}")
            self._waiting.append(one)
        places = {self._place(row): None for row in self._waiting}
        if not places and file.quantity is not None:
            places = {(self._config.device, self._config.domain, file.quantity): None}
        if not places:
            raise OSError(f"{file.path}: there is no row yet that tells what it holds")
        self._channels = {place: at for at, place in enumerate(places)}
        self._latest_s = [-math.inf] * len(places)
        if self._config.clock == "replay" and self._waiting:
            self._shift_s = time.monotonic() - min(row.time_s for row in self._waiting)
        return tuple(_channel(self._config, file, *place) for place in places)

    def read(self) -> Sequence[Reading]:
        """Return every row whose time has come since the last call."""
        now_s = time.monotonic()
        readings = list(self._arrivals(now_s))
        later: list[Row] = []
        for row in self._waiting:
            moment_s = self._monotonic_s(row.time_s, now_s)
            if moment_s > now_s:
                later.append(row)
            elif (channel := self._channels.get(self._place(row))) is not None:
                readings.append(self._reading(channel, moment_s, row))
        self._waiting = later
        return readings

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._waiting, self._channels = None, [], {}

    def _arrivals(self, now_s: float) -> Sequence[Reading]:
        """Take in what was appended; return a failure of every channel for what cannot be read.

        A row that cannot be read may have been of any channel.
        """
        assert self._file is not None
        problems = []
        try:
            for one in self._file.rows():
                if isinstance(one, BadRow):
                    problems.append(one.problem)
                else:
                    self._waiting.append(one)
        except OSError as error:
            problems.append(str(error))
        channels = range(len(self._channels))
        return [Reading(at, now_s, None, error=text) for text in problems for at in channels]

    def _place(self, row: Row) -> Place:
        assert self._config is not None
        return row.device or self._config.device, row.domain or self._config.domain, row.quantity

    def _monotonic_s(self, time_s: float, now_s: float) -> float:
        assert self._config is not None
        moment_s = time_s + self._config.offset_s
        match self._config.clock:
            case "monotonic":
                return moment_s
            case "replay":
                return moment_s + self._shift_s
            case "wall":
                return moment_s - time.time() + now_s

    def _reading(self, channel: int, moment_s: float, row: Row) -> Reading:
        if moment_s <= self._latest_s[channel]:
            return Reading(channel, moment_s, None, error=f"line {row.line} goes back in time")
        self._latest_s[channel] = moment_s
        return Reading(channel, moment_s, row.value)


def _channel(
    config: TraceConfig, file: TraceFile, device: str, domain: str, quantity: Quantity
) -> Channel:
    return Channel(
        device=device,
        domain=domain,
        quantity=quantity,
        update_period_s=config.update_period_s,
        resolution=config.resolution,
        wraps_at_j=config.wraps_at_j if quantity is Quantity.ENERGY else None,
        gain_error_ratio=config.gain_error_ratio,
        note=f"from {file.path.name}",
    )
