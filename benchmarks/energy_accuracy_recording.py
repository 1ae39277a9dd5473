"""One long recording by llem, cut into random windows; started by energy_accuracy.py.

Prints, for each window, start, end, joules and standard uncertainty of each device.
"""

from __future__ import annotations

import json
import random
import sys
import time

from llem.energy.energy_rows import energy_rows
from llem.registry import Registry
from llem.run.metering import choose_meters, sampling
from llem.schema.measurement import MeasurementConfig


def main() -> None:
    """Record for the first argument's seconds, then account for windows as long as the others."""
    measurement = MeasurementConfig(meters=("nvml",))
    meters = choose_meters(Registry.discover(), measurement).meters
    with sampling(meters, measurement.sample_period_s) as sampler:
        started_s = time.monotonic()
        time.sleep(float(sys.argv[1]))
        finished_s = time.monotonic()
        sampler.stop()
        series = sampler.series()
    windows = []
    for duration_s in map(float, sys.argv[2:]):
        start_s = random.uniform(started_s + 1, finished_s - 1 - duration_s)
        span = (start_s, start_s + duration_s)
        rows = energy_rows(series, [span]).rows
        windows.append([(*span, row.gross_j, row.uncertainty_j) for row in rows])
    print(json.dumps(windows))


if __name__ == "__main__":
    main()
