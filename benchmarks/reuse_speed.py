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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scipy.stats import sem
from study import DECODING

from llem.api.session import OpenReport
from llem.config import LoadedExperiment
from llem.config.study import load_study
from llem.registry import Registry
from llem.run.plan import plan_for
from llem.run.worker_process import WorkerProcess
from llem.run.workers import start_worker
from llem.workload import build_workload

PATTERN = ("kept", "fresh", "fresh", "kept")
"""Of a block: what drifts evenly cancels within it."""

PATIENCE_S = 300.0


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
    with (
        loaded(points[0], folder / "kept.log") as kept,
        loaded(points[-1], folder / "fresh.log") as fresh,
    ):
        for point in points[1:]:
            kept.take_on(point)
        workers = {"kept": kept, "fresh": fresh}
        ratios = []
        for _ in range(blocks):
            took_s = dict.fromkeys(workers, 0.0)
            for kind in PATTERN:
                took_s[kind] += workers[kind].run_s()
            ratios.append(took_s["fresh"] / took_s["kept"])
    return ratios


class Loaded:
    """A worker that has loaded the model and is ready to run a point of the sweep."""

    def __init__(self, worker: WorkerProcess, point: LoadedExperiment) -> None:
        self._call = worker.call
        plan = plan_for(point).to_json()
        worker.hello(PATIENCE_S)
        worker.call("start", PATIENCE_S, plugin=point.backend.module, distributions=[])
        opened = worker.call("open", PATIENCE_S, plan=plan)
        self._facts = OpenReport.from_json(opened).model
        self._prepare(point)

    def take_on(self, point: LoadedExperiment) -> None:
        """Go on with another point."""
        self._call("reopen", PATIENCE_S, plan=plan_for(point).to_json())
        self._prepare(point)

    def run_s(self) -> float:
        """Run the point once and return how long its window was."""
        run = self._call("run", PATIENCE_S)
        return float(run["finished_s"] - run["started_s"])

    def _prepare(self, point: LoadedExperiment) -> None:
        workload = build_workload(
            point.experiment.workload,
            max_new_tokens=None,
            facts=self._facts,
            texts=None,
            tokenizer=None,
        )
        requests = [request.to_json() for request in workload.requests]
        self._call("prepare", PATIENCE_S, requests=requests)
        self.run_s()  # warms up


@contextmanager
def loaded(point: LoadedExperiment, log: Path) -> Iterator[Loaded]:
    """Start a worker and let it load the model; end it after the block."""
    with start_worker(point.experiment.runner, log) as worker:
        yield Loaded(worker, point)


def summary(ratios: list[float]) -> str:
    """Return mean, standard error and median of ratios."""
    mean, median = statistics.mean(ratios), statistics.median(ratios)
    return f"{mean:.4f} ± {sem(ratios):.4f} (standard error), median {median:.4f}"


if __name__ == "__main__":
    main()
