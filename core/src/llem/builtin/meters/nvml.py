"""NVIDIA GPUs through NVML, by the best source each device has and one to stand in for it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pynvml

from llem.api.meter import Channel, DeviceState, Meter, Probe, Reading
from llem.builtin.meters.nvml_sources import Source, sources_of
from llem.builtin.meters.nvml_state import state_of

SLOW_CALL_S = 0.25
"""An answer that took longer is not used: nobody knows which moment it is true of."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """One channel, how it is read, and whether it only stands by for a better one."""

    handle: object
    source: Source
    channel: Channel
    stands_by: bool


class NvmlMeter(Meter):
    """Reads every NVIDIA GPU of the machine; the host keeps those the engine used.

    NVML ignores ``CUDA_VISIBLE_DEVICES``, so devices are told apart by UUID and by nothing else.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._streams: list[_Stream] = []
        self._initialised = False
        self._calls = 0

    def probe(self) -> Probe:
        """Say which GPUs can be read, and by which source."""
        try:
            channels = self.open(())
        except OSError as error:
            return Probe(available=False, reason=str(error))
        finally:
            self.close()
        if not channels:
            return Probe(available=False, reason="no NVIDIA device can be read")
        return Probe(available=True, channels=tuple(channels))

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Find the GPUs and the sources of each.

        Raises:
            OSError: There is no driver, or it does not answer.
        """
        try:
            pynvml.nvmlInit()
            self._initialised = True
            count = pynvml.nvmlDeviceGetCount()
        except pynvml.NVMLError as error:
            raise OSError(f"no NVIDIA driver: {error}") from error
        self._streams = [
            stream
            for index in range(count)
            for stream in _streams(index)
            if not devices or stream.channel.device in devices
        ]
        return tuple(stream.channel for stream in self._streams)

    def read(self) -> Sequence[Reading]:
        """Read each device; a failing one says why.

        What only stands by is read every second time: a call costs some ten microseconds.
        """
        self._calls += 1
        return tuple(
            _reading(at, stream)
            for at, stream in enumerate(self._streams)
            if not stream.stands_by or self._calls % 2
        )

    def state(self) -> Sequence[DeviceState]:
        """Return what each device does besides using energy."""
        devices = {stream.channel.device: stream.handle for stream in self._streams}
        return tuple(state_of(device, handle) for device, handle in devices.items())

    def close(self) -> None:
        """Let go of the driver."""
        self._streams = []
        if self._initialised:
            self._initialised = False
            pynvml.nvmlShutdown()


def _streams(index: int) -> Iterator[_Stream]:
    """Yield the streams of one device; none if it does not answer, which nobody else suffers."""
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        found = list(sources_of(handle))
    except pynvml.NVMLError:
        return
    for at, (source, channel) in enumerate(found):
        yield _Stream(handle, source, channel, stands_by=at > 0)


def _reading(at: int, stream: _Stream) -> Reading:
    before_s = time.monotonic()
    try:
        value = stream.source.read(stream.handle)
    except pynvml.NVMLError as error:
        return Reading(at, time.monotonic(), None, error=str(error))
    after_s = time.monotonic()
    if after_s - before_s > SLOW_CALL_S:
        error_text = f"it answered after {after_s - before_s:.2f} s"
        return Reading(at, after_s, None, error=error_text)
    return Reading(at, (before_s + after_s) / 2, value)
