"""What does metering cost, and does it slow down what is measured?

    python benchmarks/metering_cost.py [--blocks 320] [--slot 0.25]

Eight simulated GPUs are read ten times a second through NVIDIA's own Python library. First llem's
own processor time while a command sleeps. Then the throughput of one command that keeps every core
busy under `llem meter`, slot by slot: on, off, off, on, where off means that llem is stopped (by
a signal), so that slow changes of the machine meet both alike. Quick ones, such as other work for a
second, make a few blocks extreme on either side; the trimmed mean leaves a fifth on each side out.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scipy.stats import mstats, sem

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from nvml_simulator.simulator import SimulatedGpus, compile_driver
from nvml_simulator.waveform import Waveform

GPUS = 8
SLEEP_S = 20
START_S = 5.0
"""Time for llem and the busy processes to start, before the first slot."""

PATTERN = ("on", "off", "off", "on")
"""Of a block: what drifts evenly cancels within it."""

EDGE = 0.1
"""Share of a slot at its beginning that is not counted, in which llem is stopped or goes on."""

TRIMMED = 0.2
"""Share of the blocks that the trimmed mean leaves out at either end."""

BUSY = """
import hashlib, json, multiprocessing, os, sys, time

def count(start_s, slots, slot_s, edge):
    rounds, block = [0] * slots, bytes(4096)
    while (at := (time.monotonic() - start_s) / slot_s) < slots:
        block = hashlib.sha256(block).digest() * 128
        rounds[int(at)] += at >= 0 and at % 1 >= edge
    return rounds

if __name__ == "__main__":
    start_s, slots, slot_s, edge = json.loads(sys.argv[1])
    with multiprocessing.Pool(os.cpu_count()) as pool:
        each = pool.starmap(count, [(start_s, slots, slot_s, edge)] * os.cpu_count(), chunksize=1)
    print(json.dumps([sum(of_slot) for of_slot in zip(*each)]))
"""


def main() -> None:
    """Print llem's share of a core, and the ratio of throughputs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--blocks", type=int, default=320)
    parser.add_argument("--slot", type=float, default=0.25, help="length of a slot in seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = compile_driver(Path(folder))
        waveforms = [Waveform.square(100, 400, 1 + at / 10) for at in range(GPUS)]
        gpus = SimulatedGpus(Path(folder), library, waveforms)
        script = Path(folder) / "busy.py"
        script.write_text(BUSY)
        report_own_time(gpus)
        report_throughput(gpus, script, options.blocks, options.slot)


def meter(gpus: SimulatedGpus, *command: str) -> list[str]:
    """Return the command that measures `command` ten times a second."""
    document = str(gpus.path.with_name("document.json"))
    options = ["--meters", "nvml", "--period", "0.1", "--output", document]
    return [sys.executable, "-m", "llem", "meter", *options, "--", *command]


def report_own_time(gpus: SimulatedGpus) -> None:
    """Print what share of a core llem used while a command slept."""
    subprocess.run(
        meter(gpus, "sleep", str(SLEEP_S)), env=gpus.environ, check=True, stderr=subprocess.DEVNULL
    )
    document = json.loads(gpus.path.with_name("document.json").read_text())
    assert len(document["energy"]["devices"]) == GPUS
    share = 100 * document["overhead"]["cpu_ratio"]
    print(f"{GPUS} GPUs at 10 Hz: {share:.3f} % of one core over {SLEEP_S} s (bar: 0.5)")


def report_throughput(gpus: SimulatedGpus, script: Path, blocks: int, slot_s: float) -> None:
    """Print the throughput with meters on over that with meters off, block by block."""
    states = PATTERN * blocks
    start_s = time.monotonic() + START_S
    slots = json.dumps([start_s, len(states), slot_s, EDGE])
    command = meter(gpus, sys.executable, str(script), slots)
    with subprocess.Popen(
        command, env=gpus.environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as llem:
        for number, state in enumerate(states):
            time.sleep(max(0.0, start_s + number * slot_s - time.monotonic()))
            llem.send_signal(signal.SIGCONT if state == "on" else signal.SIGSTOP)
        rounds = json.loads(llem.communicate()[0])
    ratios = []
    for first in range(0, len(rounds), len(PATTERN)):
        total = dict.fromkeys(PATTERN, 0)
        for state, count in zip(PATTERN, rounds[first:], strict=False):
            total[state] += count
        ratios.append(total["on"] / total["off"])
    middle = float(mstats.trimmed_mean(ratios, (TRIMMED, TRIMMED)))
    middle_error = float(mstats.trimmed_stde(ratios, (TRIMMED, TRIMMED)))
    print(
        f"throughput with meters on / off, {blocks} blocks of {len(PATTERN)} slots of {slot_s:g} s "
        f"on {os.cpu_count()} cores (bar: 0.995), ± standard error: mean "
        f"{statistics.mean(ratios):.4f} ± {sem(ratios):.4f}, trimmed mean {middle:.4f} ± "
        f"{middle_error:.4f}, median {statistics.median(ratios):.4f}"
    )


if __name__ == "__main__":
    main()
