"""What does metering cost, and does it slow down what is measured?

    python benchmarks/metering_cost.py [--pairs 10] [--seconds 5]

Eight simulated GPUs are read ten times a second through NVIDIA's own Python library. First llem's
own processor time while a command sleeps; then the throughput of a command that keeps every core
busy, with `llem meter` around it and without, in turn, the order changing from pair to pair.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from nvml_simulator.simulator import SimulatedGpus, compile_driver
from nvml_simulator.waveform import Waveform

GPUS = 8
SLEEP_S = 20

BUSY = """
import hashlib, multiprocessing, os, sys, time

def count(seconds):
    rounds, block, end_s = 0, bytes(4096), time.monotonic() + seconds
    while time.monotonic() < end_s:
        block = hashlib.sha256(block).digest() * 128
        rounds += 1
    return rounds

if __name__ == "__main__":
    with multiprocessing.Pool(os.cpu_count()) as pool:
        print(sum(pool.map(count, [float(sys.argv[1])] * os.cpu_count(), chunksize=1)))
"""


def main() -> None:
    """Print llem's share of a core, and the ratio of throughputs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a busy run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = compile_driver(Path(folder))
        waveforms = [Waveform.square(100, 400, 1 + at / 10) for at in range(GPUS)]
        gpus = SimulatedGpus(Path(folder), library, waveforms)
        script = Path(folder) / "busy.py"
        script.write_text(BUSY)
        report_own_time(gpus)
        report_throughput(gpus, script, options.pairs, options.seconds)


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
    share = 100 * document["self_cost"]["cpu_ratio"]
    print(f"{GPUS} GPUs at 10 Hz: {share:.3f} % of one core over {SLEEP_S} s (bar: 0.5)")


def report_throughput(gpus: SimulatedGpus, script: Path, pairs: int, seconds: float) -> None:
    """Print the throughput with meters on over that with meters off, paired."""
    busy = [sys.executable, str(script), str(seconds)]
    commands = {"off": busy, "on": meter(gpus, *busy)}
    ratios = []
    for pair in range(pairs):
        order = ("off", "on") if pair % 2 else ("on", "off")
        rounds = {name: _rounds(commands[name], gpus) for name in order}
        ratios.append(rounds["on"] / rounds["off"])
    mean, error = statistics.mean(ratios), statistics.stdev(ratios) / math.sqrt(pairs)
    print(
        f"throughput with meters on / off, {pairs} pairs of {seconds:g} s on {os.cpu_count()} "
        f"cores: mean {mean:.4f} ± {error:.4f} (standard error), median "
        f"{statistics.median(ratios):.4f} (bar: 0.995)"
    )


def _rounds(command: list[str], gpus: SimulatedGpus) -> int:
    done = subprocess.run(command, env=gpus.environ, check=True, text=True, capture_output=True)
    return int(done.stdout)


if __name__ == "__main__":
    main()
