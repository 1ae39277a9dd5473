"""How wrong is a joule? llem, Zeus and CodeCarbon against a device whose energy is known.

    pip install zeus codecarbon
    python benchmarks/energy_accuracy.py [--peers-python PYTHON]

GPUs of known waveforms are simulated below NVIDIA's own Python library: a driver compiled on the
spot, whose counter and power are renewed every 100 ms. All three tools measure the same devices at
the same time, each in processes of its own, over windows of 1, 5, 10 and 30 s. llem is run as
`llem meter -- sleep N`. One long recording of llem's is then cut into random windows, to see
whether the errors are as large as the stated uncertainties say. Takes about four minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from nvml_simulator.simulator import SimulatedGpus, compile_driver
from nvml_simulator.waveform import Waveform

WAVEFORMS = {
    "constant 250 W": Waveform.constant(250),
    "square 100/400 W": Waveform.square(100, 400, 1.3),
    "ramp 50-450 W": Waveform.ramp(50, 450, 7.3),
    "bursts 60/600 W": Waveform.bursts(60, 600),
}
WINDOWS = {1: 8, 5: 5, 10: 3, 30: 2}
"""Length in seconds, and how many."""

RANDOM_WINDOWS = 40
RECORDING_S = 150.0
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Estimate:
    """What a tool says about one device and one window, and what is true."""

    waveform: str
    duration_s: float
    energy_j: float | None
    uncertainty_j: float | None
    truth_j: float

    @property
    def error_ratio(self) -> float:
        """The error as a share of the truth."""
        assert self.energy_j is not None
        return self.energy_j / self.truth_j - 1


def main() -> None:
    """Measure with every tool and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--peers-python", default=sys.executable, help="interpreter that has Zeus and CodeCarbon"
    )
    peers_python = parser.parse_args().peers_python
    with tempfile.TemporaryDirectory() as folder:
        library = compile_driver(Path(folder))
        gpus = SimulatedGpus(Path(folder), library, tuple(WAVEFORMS.values()))
        pretend_nvidia_smi(Path(folder))
        durations = [
            # A whole number of update periods would hide that a tool ignores them.
            seconds + random.uniform(0, 0.1)
            for seconds, count in WINDOWS.items()
            for _ in range(count)
        ]
        tools: dict[str, Callable[[], list[Estimate]]] = {
            "llem": lambda: llem_windows(gpus, durations),
            "zeus": lambda: peer_windows(gpus, peers_python, "zeus", durations),
            "codecarbon": lambda: peer_windows(gpus, peers_python, "codecarbon", durations),
            "recording": lambda: recorded_windows(gpus),
        }
        with ThreadPoolExecutor(len(tools)) as pool:
            running = {name: pool.submit(tool) for name, tool in tools.items()}
            found = {name: future.result() for name, future in running.items()}
    recording = found.pop("recording")
    print_errors(found)
    print_coverage(recording, found["llem"])


def pretend_nvidia_smi(folder: Path) -> None:
    """Put a command into `folder` whose presence tells CodeCarbon that there are GPUs."""
    command = folder / "nvidia-smi"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)


def llem_windows(gpus: SimulatedGpus, durations: Sequence[float]) -> list[Estimate]:
    """Run `llem meter` once for each window."""
    estimates = []
    for seconds in durations:
        time.sleep(random.random())  # windows begin anywhere in a waveform
        command = ["meter", "--json", "--meters", "nvml", "--", "sleep", str(seconds)]
        document = _answer([sys.executable, "-m", "llem", *command], gpus)
        window = document["window"]
        span = (window["start_monotonic_s"], window["end_monotonic_s"])
        rows = [(row["gross_j"], row["uncertainty_j"]) for row in document["energy"]["devices"]]
        estimates += _compared(gpus, seconds, [(span, *row) for row in rows])
    return estimates


def peer_windows(
    gpus: SimulatedGpus, python: str, tool: str, durations: Sequence[float]
) -> list[Estimate]:
    """Let another tool measure, in the way its documentation shows."""
    script = str(HERE / "energy_accuracy_peers.py")
    command = [python, script, tool, str(len(gpus.waveforms)), *map(str, durations)]
    answers = _answer(command, gpus)
    if answers is None:
        return []
    estimates = []
    for seconds, rows in zip(durations, answers, strict=True):
        found = [((start, end), energy_j, None) for start, end, energy_j in rows]
        estimates += _compared(gpus, seconds, found)
    return estimates


def recorded_windows(gpus: SimulatedGpus) -> list[Estimate]:
    """Record once, and let llem account for random windows of 1 to 30 s, and for some of 5 s."""
    script = str(HERE / "energy_accuracy_recording.py")
    durations = [random.uniform(1, 30) for _ in range(RANDOM_WINDOWS)] + [5.0] * RANDOM_WINDOWS
    command = [sys.executable, script, str(RECORDING_S), *map(str, durations)]
    estimates = []
    for seconds, rows in zip(durations, _answer(command, gpus), strict=True):
        found = [((start, end), energy, error) for start, end, energy, error in rows]
        estimates += _compared(gpus, seconds, found)
    return estimates


def _compared(
    gpus: SimulatedGpus,
    seconds: float,
    rows: Sequence[tuple[tuple[float, float], float | None, float | None]],
) -> list[Estimate]:
    """Put the truth beside a window's figures, one row for each device in order."""
    return [
        Estimate(name, seconds, energy_j, uncertainty_j, gpus.energy_j(index, *span))
        for index, (name, (span, energy_j, uncertainty_j)) in enumerate(
            zip(WAVEFORMS, rows, strict=True)
        )
    ]


def _answer(command: list[str], gpus: SimulatedGpus) -> object:
    environ = {**gpus.environ, "PATH": f"{gpus.library.parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def print_errors(found: dict[str, list[Estimate]]) -> None:
    """Print the errors of each tool by waveform and window, and llem's stated uncertainty."""
    print("Error of the energy, mean of its size / greatest, in % of the truth\n")
    print("| waveform | window | llem | its standard uncertainty | Zeus | CodeCarbon |")
    print("|---|---|---|---|---|---|")
    for waveform in WAVEFORMS:
        for seconds in WINDOWS:
            cells = {
                tool: [e for e in of if e.waveform == waveform and int(e.duration_s) == seconds]
                for tool, of in found.items()
            }
            stated = 100 * median(e.uncertainty_j / e.truth_j for e in cells["llem"])
            texts = [_errors(cells["llem"]), f"{stated:.2f}"]
            texts += [_errors(cells["zeus"]), _errors(cells["codecarbon"])]
            print(f"| {waveform} | {seconds} s | {' | '.join(texts)} |")


def _errors(estimates: Sequence[Estimate]) -> str:
    if not estimates:
        return "not installed"
    sizes = [100 * abs(estimate.error_ratio) for estimate in estimates]
    return f"{sum(sizes) / len(sizes):.2f} / {max(sizes):.2f}"


def print_coverage(recording: Sequence[Estimate], fixed: Sequence[Estimate]) -> None:
    """Print whether the stated uncertainties tell how large the errors are."""
    print(f"\n{RANDOM_WINDOWS} random windows of 1 to 30 s of one recording, and as many of 5 s\n")
    print("| waveform | within 2 standard uncertainties | median stated at 5 s |")
    print("|---|---|---|")
    stated: list[float] = []
    inside: list[bool] = []
    for waveform in WAVEFORMS:
        mine = [estimate for estimate in recording if estimate.waveform == waveform]
        covered = [
            abs(estimate.energy_j - estimate.truth_j) <= 2 * estimate.uncertainty_j
            for estimate in mine
        ][:RANDOM_WINDOWS]
        at_5_s = [estimate.uncertainty_j / estimate.truth_j for estimate in mine[RANDOM_WINDOWS:]]
        print(f"| {waveform} | {sum(covered)} of {len(covered)} | {100 * median(at_5_s):.2f} % |")
        inside += covered
        stated += at_5_s
    long = [abs(estimate.error_ratio) for estimate in fixed if estimate.duration_s >= 10]
    print(f"\ngreatest error of `llem meter` at 10 s and more: {100 * max(long):.2f} % (bar: 0.5)")
    print(f"within 2 standard uncertainties: {100 * sum(inside) / len(inside):.1f} % (bar: 95)")
    print(f"median stated uncertainty at 5 s: {100 * median(stated):.2f} % (bar: 1)")


if __name__ == "__main__":
    main()
