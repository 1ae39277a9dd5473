"""Wait until the devices are cool enough."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil
import pynvml

from llem.study.settings import ThermalConfig

POLL_S = 1.0


def hottest_celsius() -> float | None:
    """Return the highest temperature that a sensor of this machine shows, or ``None``.

    GPUs count where there are any; a processor's sensors otherwise.
    """
    return max(_gpus(), default=None) or max(_processors(), default=None)


def wait_until_cool(
    condition: ThermalConfig,
    temperature: Callable[[], float | None] = hottest_celsius,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[float, float | None]:
    """Wait as ``condition`` says; return how long that took, in s, and the last temperature.

    Where no sensor can be read, nothing is waited for, and the temperature is ``None``.
    """
    waited_s = 0.0
    while (celsius := temperature()) is not None:
        if celsius < condition.below_celsius or waited_s >= condition.at_most_s:
            break
        step_s = min(POLL_S, condition.at_most_s - waited_s)
        sleep(step_s)
        waited_s += step_s
    return waited_s, celsius


def _gpus() -> list[float]:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return [
            float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
            for handle in handles
        ]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _processors() -> list[float]:
    # Not on every system there is such a function.
    read = getattr(psutil, "sensors_temperatures", dict)
    return [sensor.current for sensors in read().values() for sensor in sensors]
