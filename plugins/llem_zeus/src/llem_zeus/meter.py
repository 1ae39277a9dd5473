"""The base of all meters that read through Zeus."""

from __future__ import annotations

import logging
import queue
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from zeus.exception import ZeusBaseError

from llem.api.meters import Channel, Meter, Reading

READ_ERRORS = (ZeusBaseError, OSError, RuntimeError, queue.Empty)
"""Errors of reading a device: of Zeus itself, of sysfs, of Apple's native library, and of the
process that polls a Jetson."""

# Zeus logs each library that it does not find; the answer of a probe is clearer.
logging.getLogger("zeus").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Source:
    """Channels that a single call reads.

    Attributes:
        channels: The channels.
        read: Returns the value of each channel, in joules or watts.
    """

    channels: tuple[Channel, ...]
    read: Callable[[], Sequence[float]]


class ZeusMeter(Meter):
    """A meter that reads through Zeus.

    Attributes:
        missing: Message for a machine without such a device.
    """

    missing: ClassVar[str]

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._sources: list[Source] = []

    @abstractmethod
    def connect(self) -> Sequence[Source]:
        """Return the sources of this machine; empty if Zeus finds no such device.

        Raises:
            OSError: A device cannot be read.
        """

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Find the devices.

        Raises:
            OSError: No device is here, or it cannot be read.
        """
        try:
            found = self.connect()
        except (ZeusBaseError, RuntimeError, ValueError) as error:
            raise OSError(f"Zeus: {error}") from error
        self._sources = [
            source for source in found if not devices or source.channels[0].device in devices
        ]
        if not self._sources:
            raise OSError(self.missing)
        return tuple(channel for source in self._sources for channel in source.channels)

    def read(self) -> Sequence[Reading]:
        """Read every source; a reading without a value carries the error."""
        readings: list[Reading] = []
        for source in self._sources:
            first = len(readings)
            before_s = time.monotonic()
            values: Sequence[float | None]
            try:
                values, problem = source.read(), ""
            except READ_ERRORS as error:
                values, problem = [None] * len(source.channels), str(error) or repr(error)
            moment_s = (before_s + time.monotonic()) / 2
            readings += [
                Reading(first + at, moment_s, value, error=problem)
                for at, value in enumerate(values)
            ]
        return readings

    def close(self) -> None:
        """Release the devices."""
        self._sources = []
