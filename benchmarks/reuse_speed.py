"""Are kept workers as fast as fresh workers?

    python benchmarks/reuse_speed.py FOLDER [--rounds 4] [--blocks 42]

FOLDER holds the model; `python benchmarks/smollm2.py FOLDER` writes it. In each round, one worker
goes through all points of the sweep of `study.py reuse`; a second worker is started fresh for the
last point. Then both run that point by turns, in each order equally often. A run takes half a
second, so a slow machine affects both alike, unlike in studies that are minutes apart.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from itertools import permutations
from pathlib import Path

from live_worker import LiveWorker
from scipy.stats import sem
from study import DECODING

from llem.config import LoadedExperiment
from llem.process.workers import start_worker
from llem.registry import Registry
from llem.run.preflight import plan_for
from llem.study.load_study import load_study
from llem.workload.build_workload import build_workload

ORDERS = tuple(permutations(("kept", "fresh")))


def main() -> None:
    """Print the ratios of speeds of each round, and of all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=4, help="workers of each kind")
    parser.add_argument("--blocks", type=int, default=42, help="turns of each, in a round")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.yaml"
        file.write_text(DECODING.format(model=given.model.resolve(), study={}))
        study = load_study(Registry.discover(), file=file)
        points = [point.loaded for point in study if point.loaded is not None]
        blocks: list[dict[str, float]] = []
        for number in range(given.rounds):
            of_round = by_turns(points, Path(folder), given.blocks)
            blocks += of_round
            print(f"round {number + 1}")
            print_ratios(of_round)
    print(f"all, {len(blocks)} blocks")
    print_ratios(blocks)


def by_turns(points: list[LoadedExperiment], folder: Path, blocks: int) -> list[dict[str, float]]:
    """Return the seconds of a run in each kind of worker, for each block."""
    first, last = points[0], points[-1]
    runner, backend, plan = last.experiment.runner, last.backend, plan_for(last)
    with (
        start_worker(first.experiment.runner, folder / "kept.log") as kept_process,
        start_worker(runner, folder / "fresh.log") as fresh_process,
    ):
        kept = LiveWorker(kept_process, first.backend, plan_for(first))
        make_ready(kept, first)
        for point in points[1:]:
            kept.reopen(plan_for(point))
            make_ready(kept, point)
        fresh = LiveWorker(fresh_process, backend, plan)
        make_ready(fresh, last)
        workers = {"kept": kept, "fresh": fresh}
        found = []
        for number in range(blocks):
            took_s = {}
            for kind in ORDERS[number % len(ORDERS)]:
                run = workers[kind].run()
                took_s[kind] = run.finished_s - run.started_s
            found.append(took_s)
    return found


def make_ready(worker: LiveWorker, point: LoadedExperiment) -> None:
    """Batch the workload of ``point``, and run it once to warm up."""
    workload = build_workload(
        point.experiment.workload,
        max_new_tokens=None,
        model=worker.opened.model,
        prompts=None,
        encoded=None,
    )
    worker.prepare(workload.requests)
    worker.run()


def print_ratios(blocks: list[dict[str, float]]) -> None:
    """Print tokens per second of the kept worker over those of the fresh worker."""
    ratios = [took_s["fresh"] / took_s["kept"] for took_s in blocks]
    mean, median = statistics.mean(ratios), statistics.median(ratios)
    print(
        f"  kept / fresh: {mean:.4f} ± {sem(ratios):.4f} (standard error), median {median:.4f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
