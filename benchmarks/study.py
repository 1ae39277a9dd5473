"""What a study costs besides measuring: planning it, starting each run, loading each model.

    python benchmarks/study.py grid            # plan 10,000 points of each backend
    python benchmarks/study.py fixed           # fixed cost of a run, on the simulated backend
    python benchmarks/study.py reuse FOLDER    # fresh, forked and kept workers, on a real model
    python benchmarks/study.py list            # list 10,000 outcomes

FOLDER holds the model; `python benchmarks/smollm2.py FOLDER` writes it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from math import hypot
from pathlib import Path
from statistics import mean, median
from typing import Any

MEASURED = Path(__file__).resolve().parents[1] / "docs/measured"

GRID = """
backend: {backend}
sweep:
  {field}: {{from: 1, to: 10, num: 10}}
  workload.input_tokens: {{from: 1, to: 100, num: 100}}
  workload.output_tokens: {{from: 1, to: 10, num: 10}}
"""

GRID_FIELDS = {
    "simulated": "simulated.batch_size",
    "pytorch": "pytorch.batch_size",
    "vllm": "vllm.max_num_seqs",
    "trt": "trt.max_batch_size",
}
"""The backend's own field that its grid varies, by backend."""

MAX_PLAN_S, MAX_PLAN_MB = 6, 200
"""Bar for planning 10,000 points of a backend."""

QUICK = """
measurement:
  min_duration_s: {min_duration_s}
  max_duration_s: 20
  target_ci_ratio: 0.5
  warmup: {{strategy: fixed}}
  baseline: {{bare_s: 0, loaded_s: 0, after_s: 0}}
"""

FIXED = """
backend: simulated
study: {study}
workload: {{requests: 4, output_tokens: 8}}
sweep: {{workload.seed: {{from: 1, to: {runs}, num: {runs}}}}}
"""

DECODING = """
backend: pytorch
model: {{id: {model}, dtype: float32}}
workload: {{requests: 2, input_tokens: 16, output_tokens: 3}}
pytorch: {{batch_size: 2, num_threads: 1}}
study: {study}
sweep:
  decoder.temperature: [0.5, 0.7, 0.9, 1.1, 1.3]
  decoder.top_k: [10, 20, 50, 100]
"""


WORKERS = {
    "fresh": "{reuse: none}",
    "kept": "{reuse: model}",
}
"""Settings of a study, by the kind of worker that they make."""


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("grid")
    commands.add_parser("plan").add_argument("file", type=Path)
    commands.add_parser("fixed").add_argument("--runs", type=int, default=20)
    kept = commands.add_parser("reuse")
    kept.add_argument("model", type=Path)
    kept.add_argument("--rounds", type=int, default=3)
    commands.add_parser("list").add_argument("--outcomes", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        match given.command:
            case "grid":
                grid()
            case "plan":
                plan(given.file)
            case "fixed":
                fixed(given.runs)
            case "reuse":
                reuse(given.model, given.rounds)
            case "list":
                listing(given.outcomes)


def grid() -> None:
    """Plan a grid of each backend, each in a process of its own; fail beyond the bar."""
    print(f"{'backend':10} {'points':>7} {'runs':>7} {'seconds':>8} {'us/point':>9} {'peak MB':>8}")
    codes = []
    for backend, field in GRID_FIELDS.items():
        file = Path(f"{backend}.yaml")
        file.write_text(GRID.format(backend=backend, field=field))
        command = [sys.executable, __file__, "plan", file.resolve()]
        codes.append(subprocess.run(command, check=False).returncode)
    sys.exit(any(codes))


def plan(file: Path) -> None:
    """Expand, validate and plan a study, and print what that took; fail beyond the bar."""
    from llem.registry import Registry
    from llem.study.load_study import load_study
    from llem.study.study_plan import plan_study

    start_s = time.perf_counter()
    planned = plan_study(load_study(Registry.discover(), file=file))
    took_s = time.perf_counter() - start_s
    points = len(planned.study)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"{file.stem:10} {points:7,} {planned.run_count:7,} {took_s:8.2f} "
        f"{1e6 * took_s / points:9.0f} {peak_mb:8.0f}"
    )
    sys.exit(took_s >= MAX_PLAN_S or peak_mb >= MAX_PLAN_MB)


def fixed(runs: int) -> None:
    """Print what a run costs besides idle metering, loading, warm-up and windows.

    That is everything else between two runs' ends: starting the worker, meters and their settling,
    prompts, observing, the verdict, storing, and the journal, each on disk before the next.
    """
    print(f"{'worker':10} {'runs':>5} {'median s':>9} {'greatest s':>11} {'first s':>8}")
    for worker, study in WORKERS.items():
        text = FIXED.format(runs=runs, study=study) + QUICK.format(min_duration_s=0.1)
        _, entries = carried_out(f"fixed-{worker}", text)
        costs_s = [parts_s(*entry)["rest"] for entry in entries]
        # The first run also imports what the host needs.
        print(
            f"{worker:10} {runs:5} {median(costs_s[1:]):9.3f} {max(costs_s[1:]):11.3f} "
            f"{costs_s[0]:8.3f}"
        )


def reuse(model: Path, rounds: int) -> None:
    """Print the time and the speeds of a decoder sweep with each kind of worker.

    The kinds take turns, and each begins a round once in as many rounds as there are kinds, so that
    the machine's drift is in all of them.
    """
    took_s: dict[str, list[float]] = {worker: [] for worker in WORKERS}
    outcomes: dict[str, list[tuple[float, dict[str, Any]]]] = {worker: [] for worker in WORKERS}
    kinds = list(WORKERS)
    for number in range(rounds):
        for worker in kinds[number % len(kinds) :] + kinds[: number % len(kinds)]:
            text = DECODING.format(model=model.resolve(), study=WORKERS[worker])
            name = f"reuse-{worker}-{number}"
            seconds, entries = carried_out(name, text + QUICK.format(min_duration_s=1))
            took_s[worker].append(seconds)
            outcomes[worker] += entries
            began = Counter(outcome["study"]["worker"] for _, outcome in entries)
            print(f"round {number + 1}, {worker:9} {seconds:6.1f} s  {dict(began)}", flush=True)
    print_workers(took_s, outcomes)


def print_workers(
    took_s: dict[str, list[float]], outcomes: dict[str, list[tuple[float, dict[str, Any]]]]
) -> None:
    """Print a row for each kind of worker, from its studies' times and its runs.

    What follows ± is a standard error.
    """
    print(f"\n{'':10} {'seconds':>8} {'':6} {'tokens/s':>9} {'':14}   seconds of a point, medians")
    print(
        f"{'worker':10} {'median':>8} {'ratio':>6} {'mean':>9} {'ratio':>14}"
        + "".join(f" {part:>8}" for part in parts_s(*outcomes["fresh"][0]))
    )
    seconds = {worker: median(took_s[worker]) for worker in WORKERS}
    speeds = {worker: [speed(entry) for entry in outcomes[worker]] for worker in WORKERS}
    for worker, entries in outcomes.items():
        parts = [parts_s(*entry) for entry in entries]
        ratio = mean(speeds[worker]) / mean(speeds["fresh"])
        error = ratio * hypot(error_ratio(speeds[worker]), error_ratio(speeds["fresh"]))
        print(
            f"{worker:10} {seconds[worker]:8.1f} {seconds[worker] / seconds['fresh']:6.3f} "
            f"{mean(speeds[worker]):9.2f} {ratio:6.3f} ± {error:5.3f}"
            + "".join(f" {median(costs[part] for costs in parts):8.2f}" for part in parts[0])
        )


def error_ratio(values: list[float]) -> float:
    """Return the standard error of a mean, as a share of it."""
    from scipy.stats import sem  # not above: `plan` prints its process's memory

    return sem(values) / mean(values)


def speed(entry: tuple[float, dict[str, Any]]) -> float:
    """Return a run's output tokens per second."""
    return entry[1]["throughput"]["output_tokens_per_s"]


def listing(outcomes: int) -> None:
    """Print how long `llem results list` takes over copies of the repository's outcomes."""
    kept = sorted(MEASURED.glob("**/outcome.json"))
    for number in range(outcomes):
        folder = Path("many") / f"{number:05}"
        folder.mkdir(parents=True)
        (folder / "outcome.json").write_bytes(
            # Another id, or it would be a copy, which counts once.
            kept[number % len(kept)]
            .read_bytes()
            .replace(b'"id": "', f'"id": "{number}-'.encode(), 1)
        )
    megabytes = sum(path.stat().st_size for path in Path("many").glob("*/outcome.json")) / 1e6
    print(f"{'outcomes':>8} {'MB':>6} {'seconds':>8}")
    for _ in range(3):
        start_s = time.perf_counter()
        command = [sys.executable, "-m", "llem", "results", "list", "many"]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        took_s = time.perf_counter() - start_s
        assert shown.count("done") >= outcomes
        print(f"{outcomes:8,} {megabytes:6.0f} {took_s:8.2f}")


def carried_out(name: str, text: str) -> tuple[float, list[tuple[float, dict[str, Any]]]]:
    """Run a study; return its time, and for each run how long it took and its outcome."""
    Path(f"{name}.yaml").write_text(text)
    start_s = time.perf_counter()
    subprocess.run([sys.executable, "-m", "llem", "run", f"{name}.yaml", "--quiet"], check=True)
    took_s = time.perf_counter() - start_s
    return took_s, list(runs_of(Path("results") / name))


def runs_of(folder: Path) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield how long each run took, from one line of the journal to the next, and its outcome."""
    before = None
    for line in (folder / "journal.jsonl").read_text().splitlines():
        entry = json.loads(line)
        now = datetime.fromisoformat(entry["at"])
        if entry["event"] == "run-finished":
            outcome = json.loads((folder / entry["run"] / "outcome.json").read_text())
            yield (now - before).total_seconds(), outcome
        if entry["event"] in ("study-begun", "run-finished"):
            before = now


def parts_s(wall_s: float, outcome: dict[str, Any]) -> dict[str, float]:
    """Return what the time of a run consisted of."""
    timing = outcome["timing"]
    worked_s = {
        "load": timing["load_s"] or 0.0,  # a kept worker has loaded already
        "warm-up": timing["warmup_s"],
        "windows": timing["duration_s"],
    }
    return {**worked_s, "rest": wall_s - sum(worked_s.values())}


if __name__ == "__main__":
    main()
