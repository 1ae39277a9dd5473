"""NVIDIA GPUs through NVML, by the best source each device has and one to stand in for it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pynvml

from llem.api.meters import Channel, DeviceState, Meter, Probe, Quantity, Reading
from llem.builtin.nvml_state import state_of

UPDATE_PERIOD_S = 0.1
"""Counter and power are renewed about ten times a second; readings show how often exactly."""

AVERAGED_OVER_S = 1.0

GAIN_ERROR_RATIO = 0.05 / math.sqrt(3)
"""The power sensor is stated to be accurate within ±5 % (NVML reference,
``nvmlDeviceGetPowerUsage``), here a uniform distribution."""

_GA100 = (8, 0)


@dataclass(frozen=True, slots=True)
class Source:
    """One way to ask a device.

    Attributes:
        quantity: What the answer means.
        name: What messages call it.
        read: Returns joules or watts; raises :class:`pynvml.NVMLError`.
    """

    quantity: Quantity
    name: str
    read: Callable[[object], float]


def read_energy_j(handle: object) -> float:
    """Return the device's energy counter."""
    return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000


def read_power_w(handle: object) -> float:
    """Return the device's present power.

    Raises:
        pynvml.NVMLError: The device does not have this field.
    """
    (field,) = pynvml.nvmlDeviceGetFieldValues(handle, [pynvml.NVML_FI_DEV_POWER_INSTANT])
    if field.nvmlReturn != pynvml.NVML_SUCCESS:
        raise pynvml.NVMLError(field.nvmlReturn)
    return float(field.value.uiVal) / 1000


def read_average_power_w(handle: object) -> float:
    """Return the device's power as the driver averages it."""
    return float(pynvml.nvmlDeviceGetPowerUsage(handle)) / 1000


ENERGY = Source(Quantity.ENERGY, "energy counter", read_energy_j)
POWER = Source(Quantity.POWER, "instantaneous power", read_power_w)
AVERAGE = Source(Quantity.AVERAGE_POWER, "averaged power", read_average_power_w)
OLD_POWER = Source(Quantity.POWER, "instantaneous power", read_average_power_w)


def sources_of(handle: object) -> Iterator[tuple[Source, Channel]]:
    """Yield the sources that answer, the best one first, and one to stand in for it.

    Raises:
        pynvml.NVMLError: The device does not even tell who it is.
    """
    uuid = pynvml.nvmlDeviceGetUUID(handle)
    name = pynvml.nvmlDeviceGetName(handle)
    refusals: list[str] = []
    found = 0
    for source in (ENERGY, POWER, AVERAGE if _averages(handle) else OLD_POWER):
        if found == 2:
            return
        try:
            source.read(handle)
        except pynvml.NVMLError as error:
            refusals.append(f"{source.name}: {error}")
            continue
        # What is missing concerns the source that is used instead, not the one beside it.
        fallback_for = f"not {', not '.join(refusals)}" if refusals and found == 0 else ""
        found += 1
        yield (
            source,
            Channel(
                device=f"cuda:{uuid}",
                domain="board",
                quantity=source.quantity,
                update_period_s=UPDATE_PERIOD_S,
                resolution=0.001,
                averaged_over_s=AVERAGED_OVER_S if source is AVERAGE else None,
                gain_error_ratio=GAIN_ERROR_RATIO,
                fallback_for=fallback_for,
                note=str(name),
            ),
        )


def _averages(handle: object) -> bool:
    """Return whether the device's plain power reading is an average."""
    try:
        architecture = pynvml.nvmlDeviceGetArchitecture(handle)
        capability = tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle))
    except pynvml.NVMLError:
        return True
    return bool(architecture >= pynvml.NVML_DEVICE_ARCH_AMPERE) and capability != _GA100


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
