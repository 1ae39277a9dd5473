"""GPUs through Zeus: AMD, and NVIDIA to check the meter ``nvml``.

Zeus and these meters see the GPUs that ``HIP_VISIBLE_DEVICES`` or ``CUDA_VISIBLE_DEVICES`` select;
a device's id contains the vendor's UUID.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zeus.device.gpu import amd, nvidia
from zeus.device.gpu.common import GPU, GPUs

from llem.api.meters import Channel, Quantity
from llem_zeus.meter import READ_ERRORS, Source, ZeusMeter


class AmdMeter(ZeusMeter):
    """AMD GPUs, by the counter where Zeus finds it plausible, else by power."""

    missing = "no AMD GPU: AMD SMI (libamd_smi.so, part of ROCm) is missing or finds no GPU"

    def connect(self) -> Sequence[Source]:
        """Return the GPUs that AMD SMI finds."""
        return sources(amd.AMDGPUs(), _amd_device) if amd.amdsmi_is_available() else ()


class NvidiaMeter(ZeusMeter):
    """NVIDIA GPUs, as Zeus reads them."""

    missing = "no NVIDIA GPU: the driver's library is missing or finds no GPU"

    def connect(self) -> Sequence[Source]:
        """Return the GPUs that the driver finds."""
        return sources(nvidia.NVIDIAGPUs(), _nvidia_device) if nvidia.nvml_is_available() else ()


def sources(gpus: GPUs, device: Callable[[GPU], str]) -> list[Source]:
    """Return a source for each readable GPU.

    Args:
        gpus: Zeus's GPUs.
        device: Returns the device id of a GPU.
    """
    found = []
    for gpu in gpus.gpus:
        # A GPU that fails hides no other.
        try:
            device_id, reader = device(gpu), _best_reader(gpu)
        except READ_ERRORS:
            continue
        if reader is None:
            continue
        quantity, read_milli = reader
        channel = Channel(
            device=device_id,
            domain="board",
            quantity=quantity,
            resolution=0.001,
            max_w=_limit_w(gpu),
            note=f"{_name(gpu)}, through Zeus",
        )
        found.append(Source((channel,), _in_units(read_milli)))
    return found


def _limit_w(gpu: GPU) -> float | None:
    """Return the GPU's power limit; ``None`` if it does not report it."""
    try:
        return float(gpu.get_power_management_limit()) / 1000
    except (*READ_ERRORS, TypeError, KeyError):  # a vendor's library answers "N/A"
        return None


def _name(gpu: GPU) -> str:
    try:
        return str(gpu.get_name())
    except READ_ERRORS:
        return "unknown GPU"


def _best_reader(gpu: GPU) -> tuple[Quantity, Callable[[], int]] | None:
    """Return the best quantity that the GPU reports, and its call, in milli-units."""
    readers: list[tuple[Quantity, Callable[[], int]]] = [
        (Quantity.POWER, gpu.get_instant_power_usage),
        (Quantity.AVERAGE_POWER, gpu.get_average_power_usage),
    ]
    if gpu.supports_get_total_energy_consumption():
        readers.insert(0, (Quantity.ENERGY, gpu.get_total_energy_consumption))
    for quantity, read in readers:
        try:
            read()
        except READ_ERRORS:
            continue
        return quantity, read
    return None


def _in_units(read_milli: Callable[[], int]) -> Callable[[], Sequence[float]]:
    return lambda: (read_milli() / 1000,)


def _amd_device(gpu: GPU) -> str:
    smi = amd.amdsmi
    try:
        return f"rocm:{smi.amdsmi_get_gpu_device_uuid(gpu.handle)}"
    except smi.AmdSmiException as error:
        raise OSError(f"AMD SMI: {error}") from error


def _nvidia_device(gpu: GPU) -> str:
    nvml = nvidia.pynvml
    try:
        return f"cuda:{nvml.nvmlDeviceGetUUID(gpu.handle)}"
    except nvml.NVMLError as error:
        raise OSError(f"NVML: {error}") from error
