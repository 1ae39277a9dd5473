"""Is a kept worker as fast as a fresh one?

    python benchmarks/reuse_speed.py FOLDER [--pairs 4] [--blocks 30]

FOLDER holds the model; `python benchmarks/smollm2.py FOLDER` writes it. One worker goes through all
points of the sweep of `study.py reuse`, and another one is started for the last of them. Then both
run that point by turns: kept, fresh, fresh, kept. A run takes half a second, so that whatever slows
the machine down meets both alike, as it does not in studies that are minutes apart.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from live_worker import LiveWorker
from scipy.stats import sem
from study import DECODING

from llem.config import LoadedExperiment
from llem.config.study import load_study
from llem.registry import Registry
from llem.run.plan import plan_for
from llem.run.workers import start_worker
from llem.workload import build_workload

PATTERN = ("kept", "fresh", "fresh", "kept")
"""Of a block: what drifts evenly cancels within it."""


def main() -> None:
    """Print the ratio of speeds of each pair of workers, and of all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--pairs", type=int, default=4, help="pairs of workers")
    parser.add_argument("--blocks", type=int, default=30, help="blocks of four runs, for each pair")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.yaml"
        file.write_text(DECODING.format(model=given.model.resolve(), study={}))
        study = load_study(Registry.discover(), file=file)
        points = [study.loaded(number) for number in range(len(study))]
        ratios = []
        for number in range(given.pairs):
            of_pair = by_turns(points, Path(folder), given.blocks)
            ratios += of_pair
            print(f"pair {number + 1}: {summary(of_pair)}", flush=True)
    print(f"tokens/s of kept / fresh workers, {given.blocks} blocks a pair: {summary(ratios)}")


def by_turns(points: list[LoadedExperiment], folder: Path, blocks: int) -> list[float]:
    """Return the ratio of speeds, kept over fresh, of each block."""
    first, last = points[0], points[-1]
    with (
        start_worker(first.experiment.runner, folder / "kept.log") as kept_process,
        start_worker(last.experiment.runner, folder / "fresh.log") as fresh_process,
    ):
        kept = LiveWorker(kept_process, first.backend, plan_for(first))
        make_ready(kept, first)
        for point in points[1:]:
            kept.reopen(plan_for(point))
            make_ready(kept, point)
        fresh = LiveWorker(fresh_process, last.backend, plan_for(last))
        make_ready(fresh, last)
        workers = {"kept": kept, "fresh": fresh}
        ratios = []
        for _ in range(blocks):
            took_s = dict.fromkeys(workers, 0.0)
            for kind in PATTERN:
                run = workers[kind].run()
                took_s[kind] += run.finished_s - run.started_s
            ratios.append(took_s["fresh"] / took_s["kept"])
    return ratios


def make_ready(worker: LiveWorker, point: LoadedExperiment) -> None:
    """Batch the workload of ``point``, and run it once to warm up."""
    workload = build_workload(
        point.experiment.workload,
        max_new_tokens=None,
        facts=worker.opened.model,
        texts=None,
        tokenizer=None,
    )
    worker.prepare(workload.requests)
    worker.run()


def summary(ratios: list[float]) -> str:
    """Return mean, standard error and median of ratios."""
    mean, median = statistics.mean(ratios), statistics.median(ratios)
    return f"{mean:.4f} ± {sem(ratios):.4f} (standard error), median {median:.4f}"


if __name__ == "__main__":
    main()
