"""What an NVIDIA device says about its energy, and how each answer is to be read.

Source: NVML API reference. ``nvmlDeviceGetTotalEnergyConsumption`` counts millijoules since the
driver was loaded (Volta and later); field ``NVML_FI_DEV_POWER_INSTANT`` is the present power.
``nvmlDeviceGetPowerUsage`` is an average over one second on Ampere and later, GA100 excepted,
and the present power on GA100 and before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pynvml

from llem.api.meter import Channel, Quantity

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
        instead_of = f"not {', not '.join(refusals)}" if refusals and found == 0 else ""
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
                instead_of=instead_of,
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
