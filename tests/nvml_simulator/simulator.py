"""Compile the simulated driver and describe its devices."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .waveform import Waveform

SOURCE = Path(__file__).with_name("nvml.c")

NOT_SUPPORTED = 3
GPU_IS_LOST = 15
ENERGY = "nvmlDeviceGetTotalEnergyConsumption"
INSTANT_POWER = "field186"
AVERAGE_POWER = "nvmlDeviceGetPowerUsage"
MEMORY = "nvmlDeviceGetMemoryInfo"
CAPABILITY = "nvmlDeviceGetCudaComputeCapability"
NAME = "nvmlDeviceGetName"

_STRIKE = """
import os, sys, time
before_s, path, fault, after_s = sys.argv[1:]
time.sleep(float(before_s))
with open(path, "a") as file:
    file.write(fault.format(now=time.monotonic(), pid=os.getpid()) + "\\n")
time.sleep(float(after_s))
"""


def compile_driver(folder: Path) -> Path:
    """Compile the library into `folder` under the name the loader looks for."""
    library = folder / "libnvidia-ml.so.1"
    flags = ["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-Wl,-soname,libnvidia-ml.so.1"]
    command = ["gcc", *flags, "-o", str(library), str(SOURCE), "-lm", "-lpthread"]
    subprocess.run(command, check=True)
    return library


class SimulatedGpus:
    """GPUs with known waveforms, for processes started with `environ`.

    Args:
        folder: Receives the file that describes the devices.
        library: The compiled driver.
        waveforms: One for each device.
        settings: Lines of the file for the machine as a whole.
    """

    def __init__(
        self, folder: Path, library: Path, waveforms: Sequence[Waveform], *settings: str
    ) -> None:
        self.path = folder / "gpus.txt"
        self.library = library
        self.waveforms = tuple(waveforms)
        self._lines = [f"gpus {len(waveforms)}", *settings]
        for index, waveform in enumerate(waveforms):
            pieces = " ".join(f"{value!r}" for piece in waveform.pieces for value in piece)
            # Real devices renew their readings at moments of their own.
            self._lines += [f"waveform {index} {pieces}", f"set {index} phase_s {0.037 * index}"]
        self._write()

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables that put the devices into a process."""
        return {
            **os.environ,
            "LD_LIBRARY_PATH": str(self.library.parent),
            "NVML_SIMULATOR": str(self.path),
        }

    def device(self, index: int) -> str:
        """Return the device id that llem gives to a device."""
        return f"cuda:{self.uuid(index)}"

    def uuid(self, index: int) -> str:
        return f"GPU-00000000-0000-0000-0000-{index:012d}"

    def energy_j(self, index: int, start_s: float, end_s: float) -> float:
        """Return what the device really used between two moments."""
        return self.waveforms[index].energy_j(start_s, end_s)

    def set(self, index: int, name: str, value: float) -> None:
        """Set a reading beside power: `temperature_c`, `event_reasons`, `mig` …"""
        self._add(f"set {index} {name} {value}")

    def run_process(self, index: int, pid: int) -> None:
        """Let a process compute on the device."""
        self._add(f"process {index} {pid}")

    def fail(
        self, index: int, function: str, code: int, from_s: float = 0.0, to_s: float = float("inf")
    ) -> None:
        """Let calls of a function, or of all (`*`), fail between two moments."""
        self._add(f"error {index} {function} {code} {from_s!r} {to_s!r}")

    def lose(self, index: int, at_s: float) -> None:
        """Let the device fall off the bus."""
        self.fail(index, "*", GPU_IS_LOST, at_s)

    def reset_counter(self, index: int, at_s: float) -> None:
        """Let the energy counter start again from 0."""
        self._add(f"reset {index} {at_s!r}")

    def delay(self, index: int, at_s: float, seconds: float) -> None:
        """Let the first call after a moment take long, once in every process."""
        self._add(f"slow {index} {at_s!r} {seconds!r}")

    def strike(self, fault: str) -> None:
        """Let a fault strike now.

        Args:
            fault: A line of the file, in which `{now}` stands for this moment.
        """
        self._add(fault.format(now=time.monotonic()))

    def command_meeting(self, fault: str, before_s: float, after_s: float) -> list[str]:
        """Return a command that sleeps, lets a fault strike, and sleeps again.

        Args:
            fault: A line of the file, in which `{now}` stands for the moment it strikes, and
                `{pid}` for the command's process.
            before_s: How long the command runs until then.
            after_s: How long it runs after.
        """
        arguments = [str(before_s), str(self.path), fault, str(after_s)]
        return [sys.executable, "-c", _STRIKE, *arguments]

    def plant(self, line: str) -> None:
        """Add a line of the file, such as a fault of a source: `scale 0 counter 2`."""
        self._add(line)

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._write()

    def _write(self) -> None:
        # The driver may read at any moment, so it must never see half a file.
        fresh = self.path.with_suffix(".new")
        fresh.write_text("\n".join(self._lines) + "\n")
        fresh.replace(self.path)
