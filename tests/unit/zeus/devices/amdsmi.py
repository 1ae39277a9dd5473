"""AMD SMI for a machine without it: its Python package, showing two GPUs of constant power."""

import os
import time
from enum import IntEnum


class AmdSmiException(Exception):
    pass


class AmdSmiLibraryException(AmdSmiException):
    def get_error_code(self):
        return 2  # not supported

    def get_error_info(self):
        return "not supported"


class AmdSmiInitFlags(IntEnum):
    INIT_AMD_GPUS = 2


POWER_W = {0: 300, 1: 120}


def amdsmi_init(flag):
    if "SIMULATED_AMD" not in os.environ:
        raise AmdSmiLibraryException()


def amdsmi_shut_down():
    pass


def amdsmi_get_processor_handles():
    return list(POWER_W)


def amdsmi_get_gpu_enumeration_info(handle):
    return {"hip_id": handle}


def amdsmi_get_gpu_asic_info(handle):
    return {"market_name": "Simulated Instinct"}


def amdsmi_get_gpu_device_uuid(handle):
    return f"0000-{handle}"


def amdsmi_get_power_cap_info(handle):
    return {"power_cap": 750_000_000 if handle == 0 else "N/A"}


def amdsmi_get_power_info(handle):
    return {"current_socket_power": POWER_W[handle], "average_socket_power": "N/A"}


def amdsmi_get_energy_count(handle):
    """Count in steps of 15.259 uJ; the second GPU's counter is stuck, a fault some really have."""
    joules = POWER_W[handle] * time.monotonic() if handle == 0 else 0
    return {"energy_accumulator": int(joules / 15.259e-6), "counter_resolution": 15.259}
