"""NVIDIA GPUs through NVML, by the best source each device has.

Sources: NVML API reference. ``nvmlDeviceGetTotalEnergyConsumption`` counts millijoules since the
driver was loaded (Volta and later); field ``NVML_FI_DEV_POWER_INSTANT`` is the present power;
``nvmlDeviceGetPowerUsage`` is an average over one second on Ampere and later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pynvml

from llem.api.meter import Channel, Meter, Probe, Quantity, Reading

UPDATE_PERIOD_S = 0.1
"""Counter and power are renewed about ten times a second."""

GAIN_ERROR_RATIO = 0.05
"""The power sensor's stated accuracy, ±5 % (NVML reference, ``nvmlDeviceGetPowerUsage``)."""


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
    """Return the device's power, averaged by the driver."""
    return float(pynvml.nvmlDeviceGetPowerUsage(handle)) / 1000


_SOURCES: tuple[tuple[Quantity, Callable[[object], float]], ...] = (
    (Quantity.ENERGY, read_energy_j),
    (Quantity.POWER, read_power_w),
    (Quantity.AVERAGE_POWER, read_average_power_w),
)


@dataclass(frozen=True, slots=True)
class _Device:
    handle: object
    channel: Channel
    read: Callable[[object], float]


class NvmlMeter(Meter):
    """Reads every NVIDIA GPU of the machine; the host keeps those the engine used.

    NVML ignores ``CUDA_VISIBLE_DEVICES``, so devices are told apart by UUID and by nothing else.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._devices: list[_Device] = []
        self._initialised = False

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
        """Find the GPUs and the best source of each.

        Raises:
            OSError: There is no driver, or it does not answer.
        """
        try:
            pynvml.nvmlInit()
            self._initialised = True
            handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
            found = [_find(handle) for handle in handles]
        except pynvml.NVMLError as error:
            raise OSError(f"no NVIDIA driver: {error}") from error
        chosen = [one for one in found if one and (not devices or one.channel.device in devices)]
        self._devices = chosen
        return tuple(one.channel for one in chosen)

    def read(self) -> Sequence[Reading]:
        """Read each device; a failing one says why."""
        return tuple(_reading(at, one) for at, one in enumerate(self._devices))

    def close(self) -> None:
        """Let go of the driver."""
        self._devices = []
        if self._initialised:
            self._initialised = False
            pynvml.nvmlShutdown()


def _find(handle: object) -> _Device | None:
    """Return the device with the first source that answers."""
    for quantity, read in _SOURCES:
        try:
            read(handle)
        except pynvml.NVMLError:
            continue
        channel = Channel(
            device=f"cuda:{pynvml.nvmlDeviceGetUUID(handle)}",
            domain="board",
            quantity=quantity,
            update_period_s=UPDATE_PERIOD_S,
            resolution=0.001,
            gain_error_ratio=GAIN_ERROR_RATIO,
            note=str(pynvml.nvmlDeviceGetName(handle)),
        )
        return _Device(handle, channel, read)
    return None


def _reading(at: int, device: _Device) -> Reading:
    before_s = time.monotonic()
    try:
        value = device.read(device.handle)
    except pynvml.NVMLError as error:
        return Reading(at, time.monotonic(), None, error=str(error))
    return Reading(at, (before_s + time.monotonic()) / 2, value)
