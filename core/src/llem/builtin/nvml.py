"""NVIDIA GPUs through NVML: energy from the two best sources of each device, and its state."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pynvml

from llem.api.meters import Channel, DeviceState, Meter, MeterUnusable, Quantity, Reading

T = TypeVar("T")

UPDATE_PERIOD_S = 0.1
"""Counter and power update about ten times a second; readings show the exact period."""

AVERAGED_OVER_S = 1.0

GAIN_ERROR_RATIO = 0.05 / math.sqrt(3)
"""The power sensor is stated to be accurate within ±5 % (NVML reference,
``nvmlDeviceGetPowerUsage``), here a uniform distribution."""

_GA100 = (8, 0)

_SUPERCHIP = re.compile(r"\bG[HB]\d{3}\b")
"""Grace Hopper and Grace Blackwell, such as ``NVIDIA GH200 480GB``: a GPU and a CPU on a module."""


@dataclass(frozen=True, slots=True)
class Source:
    """A way to read a device.

    Attributes:
        quantity: Meaning of the value.
        name: Name in messages.
        read: Returns joules or watts; raises :class:`pynvml.NVMLError`.
    """

    quantity: Quantity
    name: str
    read: Callable[[object], float]


def read_energy_j(handle: object) -> float:
    """Return the device's energy counter."""
    return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000


def read_power_w(handle: object) -> float:
    """Return the device's instantaneous power.

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


ENERGY = Source(Quantity.ENERGY, "energy counter", read_energy_j)
POWER = Source(Quantity.POWER, "instantaneous power", read_power_w)
AVERAGE = Source(Quantity.AVERAGE_POWER, "averaged power", read_average_power_w)
OLD_POWER = Source(Quantity.POWER, "instantaneous power", read_average_power_w)


@dataclass(frozen=True, slots=True)
class _Stream:
    """A channel, how to read it, and whether it is a fallback for a better channel."""

    handle: object
    source: Source
    channel: Channel
    is_fallback: bool


def is_module(name: str) -> bool:
    """Return whether a product is a superchip, whose counter covers its GPU, CPU and memory."""
    return bool(_SUPERCHIP.search(name))


def _streams(handle: object) -> Iterator[_Stream]:
    """Yield the stream of the best source that answers, and that of a second as its fallback.

    The counter of a superchip covers the whole module, while its power is that of the GPU, so they
    are two domains.

    Raises:
        pynvml.NVMLError: The device does not report its UUID, or no source answers.
    """
    uuid = pynvml.nvmlDeviceGetUUID(handle)
    name = _ask(lambda: str(pynvml.nvmlDeviceGetName(handle))) or "unknown NVIDIA device"
    limit_w = _ask(lambda: pynvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000)
    refusals: list[str] = []
    found: list[Source] = []
    for source in (ENERGY, POWER, AVERAGE if _averages(handle) else OLD_POWER):
        if len(found) == 2:
            return
        try:
            source.read(handle)
        except pynvml.NVMLError as error:
            refusals.append(f"{source.name}: {error}")
            continue
        # Refusals concern the first source that answers, not its fallback.
        fallback_for = f"not {', not '.join(refusals)}" if refusals and not found else ""
        of_module = is_module(name) and source is ENERGY
        channel = Channel(
            device=f"cuda:{uuid}",
            domain="module" if of_module else "gpu" if is_module(name) else "board",
            quantity=source.quantity,
            update_period_s=UPDATE_PERIOD_S,
            resolution=0.001,
            averaged_over_s=AVERAGED_OVER_S if source is AVERAGE else None,
            gain_error_ratio=GAIN_ERROR_RATIO,
            max_w=None if is_module(name) else limit_w,
            contained_in="module" if is_module(name) and not of_module else None,
            covers=("cpu",) if of_module else (),
            fallback_for=fallback_for,
            note=f"{name}: GPU, CPU and memory" if of_module else name,
        )
        yield _Stream(handle, source, channel, is_fallback=bool(found) and not is_module(name))
        found.append(source)
    if not found:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


def _averages(handle: object) -> bool:
    """Return whether the device's plain power reading is an average."""
    try:
        architecture = pynvml.nvmlDeviceGetArchitecture(handle)
        capability = tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle))
    except pynvml.NVMLError:
        return True
    return bool(architecture >= pynvml.NVML_DEVICE_ARCH_AMPERE) and capability != _GA100


SLOW_CALL_S = 0.25
"""A slower answer is dropped: the moment that it is valid for is unknown."""


class NvmlMeter(Meter):
    """Reads every NVIDIA GPU of the machine; the host keeps the GPUs that the engine used.

    NVML ignores ``CUDA_VISIBLE_DEVICES``, so only the UUID identifies a device.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._streams: list[_Stream] = []
        self._initialized = False
        self._calls = 0
        self._unreadable: dict[str, str] = {}

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Find the GPUs and their sources.

        Raises:
            MeterUnusable: There are GPUs, and none can be read.
            OSError: The driver is missing or does not answer.
        """
        try:
            pynvml.nvmlInit()
            self._initialized = True
            count = pynvml.nvmlDeviceGetCount()
        except pynvml.NVMLError as error:
            raise OSError(f"no NVIDIA driver: {error}") from error
        self._streams, self._unreadable = [], {}
        for index in range(count):
            self._streams += [
                stream
                for stream in self._answering(index)
                if not devices or stream.channel.device in devices
            ]
        if not count:
            raise OSError("the NVIDIA driver finds no device")
        if not self._streams and not devices:
            reasons = "; ".join(f"{device}: {why}" for device, why in self._unreadable.items())
            raise MeterUnusable(f"no NVIDIA device can be read: {reasons}")
        return tuple(stream.channel for stream in self._streams)

    def unreadable(self) -> Mapping[str, str]:
        """Return the GPUs that did not answer when the meter was opened."""
        return self._unreadable

    def _answering(self, index: int) -> list[_Stream]:
        """Return the streams of a device; none if it does not respond."""
        device = f"cuda:{index}"
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            device = f"cuda:{pynvml.nvmlDeviceGetUUID(handle)}"
            return list(_streams(handle))
        except pynvml.NVMLError as error:
            self._unreadable[device] = f"its energy and power cannot be read ({error})"
            return []

    def read(self) -> Sequence[Reading]:
        """Read each device; a reading without a value carries the error.

        A fallback is read every second time, because a call costs some ten microseconds.
        """
        self._calls += 1
        return tuple(
            _reading(at, stream)
            for at, stream in enumerate(self._streams)
            if not stream.is_fallback or self._calls % 2
        )

    def state(self) -> Sequence[DeviceState]:
        """Return temperature, clocks, limits and processes of each device."""
        devices = {stream.channel.device: stream.handle for stream in self._streams}
        return tuple(state_of(device, handle) for device, handle in devices.items())

    def close(self) -> None:
        """Release the driver."""
        self._streams = []
        if self._initialized:
            self._initialized = False
            pynvml.nvmlShutdown()


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


_THROTTLED_BY = {
    pynvml.nvmlClocksEventReasonSwPowerCap: "power-cap",
    pynvml.nvmlClocksEventReasonHwSlowdown: "hw-slowdown",
    pynvml.nvmlClocksEventReasonSwThermalSlowdown: "sw-thermal",
    pynvml.nvmlClocksEventReasonHwThermalSlowdown: "hw-thermal",
    pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown: "hw-power-brake",
}
"""Causes that reduce clocks against the load; idling and a user's setting are no such causes."""


def state_of(device: str, handle: object) -> DeviceState:
    """Return the state of a device; ``None`` for each value that it does not report."""
    return DeviceState(
        device=device,
        time_s=time.monotonic(),
        temperature_c=_ask(
            lambda: float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
        ),
        core_clock_hz=_ask(lambda: _clock_hz(handle, pynvml.NVML_CLOCK_SM)),
        memory_clock_hz=_ask(lambda: _clock_hz(handle, pynvml.NVML_CLOCK_MEM)),
        power_limit_w=_ask(lambda: pynvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000),
        throttled_by=_ask(lambda: _throttled_by(handle)),
        process_ids=_ask(lambda: _process_ids(handle)),
        partitioned=_ask(
            lambda: pynvml.nvmlDeviceGetMigMode(handle)[0] == pynvml.NVML_DEVICE_MIG_ENABLE
        ),
    )


def _ask(question: Callable[[], T]) -> T | None:
    try:
        return question()
    except pynvml.NVMLError:
        return None


def _clock_hz(handle: object, kind: int) -> float:
    return float(pynvml.nvmlDeviceGetClockInfo(handle, kind)) * 1e6


def _throttled_by(handle: object) -> tuple[str, ...]:
    try:
        bits = pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle)
    except pynvml.NVMLError_FunctionNotFound:
        # The name it had before driver 535.
        bits = pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
    return tuple(name for bit, name in _THROTTLED_BY.items() if bits & bit)


def _process_ids(handle: object) -> tuple[int, ...]:
    processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    return tuple(process.pid for process in processes)
