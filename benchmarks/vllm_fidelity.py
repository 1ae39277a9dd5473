"""Does measuring vLLM change it? `fidelity.py` for machines with other load.

A hand-written `LLM.generate`, and llem's worker with llem's meters sampling, both stay alive. They
run a repetition of the same SmolLM2 work in turn, in alternating order, so that other load on the
machine affects both alike:

    python benchmarks/vllm_fidelity.py --python /opt/vllm/bin/python [--pairs 20]

Prints output tokens per second of each, and the median of the pairs' ratios with its quartiles.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fidelity import ARGUMENTS, ENVIRONMENT, same_work
from live_worker import LiveWorker
from smollm2 import save_as_safetensors

from llem.api.session import Request
from llem.config.load import load_experiment
from llem.process.worker_process import WorkerProcess
from llem.registry import Registry
from llem.run.metering import choose_meters, sampling

PAUSE_S = 1.5


@contextmanager
def hand_written(python: str, folder: Path, work: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the hand-written loop, and yield it once it is warm."""
    script = str(Path(__file__).with_name("hand_written_vllm.py"))
    with subprocess.Popen(
        [python, script, str(folder), str(work)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        wait_for(process, "READY")
        yield process
        process.stdin.close()


def wait_for(process: subprocess.Popen[str], word: str) -> str:
    """Return what follows ``word`` on the next line that begins with it."""
    for line in process.stdout:
        if line.startswith(word):
            return line.removeprefix(word)
    raise RuntimeError("the hand-written loop ended")


def rate_by_hand(process: subprocess.Popen[str]) -> float:
    """Return output tokens per second of one repetition of the loop."""
    time.sleep(PAUSE_S)
    process.stdin.write("\n")
    process.stdin.flush()
    return float(wait_for(process, "RATE"))


@contextmanager
def through_llem(python: str, folder: Path, work: dict[str, object]) -> Iterator[LiveWorker]:
    """Start llem's worker and meters, and yield the worker once it is warm."""
    overrides = [f"vllm.{name}={json.dumps(value)}" for name, value in ARGUMENTS["vllm"].items()]
    registry = Registry.discover()
    loaded = load_experiment(
        registry, file=None, overrides=overrides, backend="vllm", model=str(folder)
    )
    model = loaded.experiment.model.model_copy(update={"dtype": "bfloat16"})
    experiment = loaded.experiment.model_copy(update={"model": model})
    requests = [
        Request(index, ids, work["new_tokens"]) for index, ids in enumerate(work["prompts"])
    ]
    measurement = experiment.measurement
    meters = choose_meters(registry, measurement).meters
    log = folder.with_name("worker.log")
    with (
        sampling(meters, measurement.sample_period_s),
        WorkerProcess(python=python, env=ENVIRONMENT, log_path=log, max_log_bytes=2**26) as process,
    ):
        worker = LiveWorker(process, loaded.backend, loaded.backend.build_plan(experiment))
        worker.prepare(requests)
        for _ in range(3):
            rate_of_llem(worker)
        yield worker


def rate_of_llem(worker: LiveWorker) -> float:
    """Return output tokens per second of one repetition through llem."""
    time.sleep(PAUSE_S)
    run = worker.run()
    tokens = sum(len(request.output_ids) for request in run.requests)
    return tokens / (run.finished_s - run.started_s)


def main() -> None:
    """Run the pairs and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--python", default=sys.executable, help="interpreter with vLLM")
    parser.add_argument("--pairs", type=int, default=20)
    arguments = parser.parse_args()
    work = same_work(0.0) | {"arguments": ARGUMENTS["vllm"]}
    del work["seconds"]
    with tempfile.TemporaryDirectory() as name:
        folder = save_as_safetensors(Path(name) / "model")
        file = Path(name) / "work.json"
        file.write_text(json.dumps(work))
        with (
            hand_written(arguments.python, folder, file) as loop,
            through_llem(arguments.python, folder, work) as worker,
        ):
            pairs = []
            for pair in range(arguments.pairs):
                if pair % 2:
                    rate, by_hand = rate_of_llem(worker), rate_by_hand(loop)
                else:
                    by_hand, rate = rate_by_hand(loop), rate_of_llem(worker)
                pairs.append((by_hand, rate))
                print(
                    f"{pair + 1:4}  {by_hand:8.1f}  {rate:8.1f}  {rate / by_hand:6.3f}", flush=True
                )
    ratios = [rate / by_hand for by_hand, rate in pairs]
    low, median, high = statistics.quantiles(ratios, n=4)
    by_hand, rate = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"by hand {by_hand:.1f}, llem {rate:.1f} output tokens/s (medians)")
    print(f"median ratio {median:.3f}, quartiles {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    main()
