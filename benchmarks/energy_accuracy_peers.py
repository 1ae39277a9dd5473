"""Windows as Zeus and CodeCarbon measure them; started by energy_accuracy.py.

Prints, for each window, start, end and joules of each device; `null` if the tool is not installed.
The window lies between the tool's beginning call and its ending call, where a user's work would be.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import time

Window = list[tuple[float, float, float]]


def zeus(gpus: int, durations: list[float]) -> list[Window] | None:
    """Measure with one ZeusMonitor over all devices."""
    try:
        from zeus.monitor import ZeusMonitor
    except ImportError:
        return None
    monitor = ZeusMonitor(gpu_indices=list(range(gpus)), cpu_indices=[])
    windows = []
    for seconds in durations:
        time.sleep(random.random())
        monitor.begin_window("window", sync_execution=False)
        started_s = time.monotonic()
        time.sleep(seconds)
        finished_s = time.monotonic()
        energy = monitor.end_window("window", sync_execution=False).gpu_energy
        windows.append([(started_s, finished_s, energy[gpu]) for gpu in range(gpus)])
    return windows


def codecarbon(gpus: int, durations: list[float]) -> list[Window] | None:
    """Measure with one tracker for each device: a tracker adds its devices up."""
    try:
        from codecarbon import OfflineEmissionsTracker
    except ImportError:
        return None
    logging.disable()
    trackers = [
        OfflineEmissionsTracker(
            country_iso_code="FRA",
            gpu_ids=[gpu],
            save_to_file=False,
            log_level="critical",
            allow_multiple_runs=True,
            force_cpu_power=1,
        )
        for gpu in range(gpus)
    ]
    windows = []
    for seconds in durations:
        time.sleep(random.random())
        started_s = []
        for tracker in trackers:
            tracker.start_task()
            started_s.append(time.monotonic())
        time.sleep(seconds)
        window = []
        for tracker, start_s in zip(trackers, started_s, strict=True):
            finished_s = time.monotonic()
            kilowatt_hours = tracker.stop_task().gpu_energy
            window.append((start_s, finished_s, kilowatt_hours * 3.6e6))
        windows.append(window)
    return windows


if __name__ == "__main__":
    tool = {"zeus": zeus, "codecarbon": codecarbon}[sys.argv[1]]
    print(json.dumps(tool(int(sys.argv[2]), [float(bound) for bound in sys.argv[3:]])))
