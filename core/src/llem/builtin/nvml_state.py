"""Temperature, clocks, limits and users of an NVIDIA device."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pynvml

from llem.api.meters import DeviceState

T = TypeVar("T")

_THROTTLED_BY = {
    pynvml.nvmlClocksEventReasonSwPowerCap: "power-cap",
    pynvml.nvmlClocksEventReasonHwSlowdown: "hw-slowdown",
    pynvml.nvmlClocksEventReasonSwThermalSlowdown: "sw-thermal",
    pynvml.nvmlClocksEventReasonHwThermalSlowdown: "hw-thermal",
    pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown: "hw-power-brake",
}
"""Reasons that hold clocks down against the load; being idle or a user's wish are none."""


def state_of(device: str, handle: object) -> DeviceState:
    """Return what the device tells; a question it does not answer is ``None``."""
    reasons = _asked(lambda: _throttle_bits(handle))
    limit_mw = _asked(lambda: pynvml.nvmlDeviceGetEnforcedPowerLimit(handle))
    processes = _asked(lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(handle))
    mig = _asked(lambda: pynvml.nvmlDeviceGetMigMode(handle))
    return DeviceState(
        device=device,
        time_s=time.monotonic(),
        temperature_c=_number(
            lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)
        ),
        core_clock_hz=_clock_hz(handle, pynvml.NVML_CLOCK_SM),
        memory_clock_hz=_clock_hz(handle, pynvml.NVML_CLOCK_MEM),
        power_limit_w=None if limit_mw is None else limit_mw / 1000,
        throttled_by=(
            None
            if reasons is None
            else tuple(name for bit, name in _THROTTLED_BY.items() if reasons & bit)
        ),
        process_ids=None if processes is None else tuple(one.pid for one in processes),
        partitioned=None if mig is None else mig[0] == pynvml.NVML_DEVICE_MIG_ENABLE,
    )


def _throttle_bits(handle: object) -> int:
    try:
        return int(pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle))
    except pynvml.NVMLError_FunctionNotFound:
        # The name it had before driver 535.
        return int(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle))


def _clock_hz(handle: object, kind: int) -> float | None:
    mhz = _number(lambda: pynvml.nvmlDeviceGetClockInfo(handle, kind))
    return None if mhz is None else mhz * 1e6


def _number(ask: Callable[[], int]) -> float | None:
    answer = _asked(ask)
    return None if answer is None else float(answer)


def _asked(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except pynvml.NVMLError:
        return None
