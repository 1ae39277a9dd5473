"""Does measuring change what is measured?

The same SmolLM2 work through a hand-written `generate` loop and through `llem run`, in turn, each
in a fresh process, the order changing from pair to pair:

    python benchmarks/fidelity.py [--backend pytorch] [--pairs 5] [--seconds 10]
    python benchmarks/fidelity.py --backend vllm --python /opt/vllm/bin/python

Prints output tokens per second of each, their ratio, and llem's own CPU time inside the windows.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from smollm2 import save_as_safetensors

from llem.api.session import ModelInfo
from llem.schema.workload import SyntheticWorkload
from llem.workload.build_workload import build_workload

REQUESTS, INPUT_TOKENS, OUTPUT_TOKENS = 4, 32, 32
SPECIAL_IDS = [0, 1, 2]
VOCAB_SIZE = 49152
ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", **os.environ, "HF_HUB_OFFLINE": "1"}
ARGUMENTS = {
    "pytorch": {"batch_size": REQUESTS},
    "vllm": {"max_model_len": 256, "max_num_seqs": REQUESTS, "enforce_eager": True},
}
"""The backend's own section; for vLLM, the engine's arguments as well."""


def hand_written(backend: str, python: str, folder: Path, work: Path) -> float:
    """Return output tokens per second of the loop."""
    script = Path(__file__).with_name(f"hand_written_{backend}.py")
    command = [python, str(script), str(folder), str(work)]
    output = subprocess.check_output(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL, text=True)
    (line,) = [line for line in output.splitlines() if line.startswith("RATE")]
    return float(line.removeprefix("RATE"))


def through_llem(
    backend: str, python: str, folder: Path, results: Path, seconds: float
) -> tuple[float, float]:
    """Return output tokens per second, and llem's own CPU time per second of window."""
    settings = {
        **{f"{backend}.{name}": json.dumps(value) for name, value in ARGUMENTS[backend].items()},
        "runner.python": python,
        "model.dtype": "bfloat16",
        "workload.requests": REQUESTS,
        "workload.input_tokens": INPUT_TOKENS,
        "workload.output_tokens": OUTPUT_TOKENS,
        "measurement.min_duration_s": seconds,
        "measurement.target_ci_ratio": 0.5,
        "measurement.warmup.min_repetitions": 3,
    }
    command = ["llem", "run", "--json", "--backend", backend, "--model", str(folder)]
    command += ["--out", str(results)]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    outcome = json.loads(subprocess.check_output(command, env=ENVIRONMENT))
    return outcome["throughput"]["output_tokens_per_s"], outcome["overhead"]["cpu_ratio"]


def main() -> None:
    """Run the pairs and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--backend", choices=ARGUMENTS, default="pytorch")
    parser.add_argument("--python", default=sys.executable, help="interpreter with the engine")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="least time of each measurement"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        folder = save_as_safetensors(temporary / "model")
        work = temporary / "work.json"
        own = ARGUMENTS[arguments.backend]
        work.write_text(json.dumps({**same_work(arguments.seconds), "arguments": own}))
        which = arguments.backend, arguments.python, folder
        ratios, costs = [], []
        print("pair  loop tokens/s  llem tokens/s  ratio  llem's CPU time")
        for pair in range(arguments.pairs):
            if pair % 2:
                rate, cost = through_llem(*which, temporary / "results", arguments.seconds)
                loop = hand_written(*which, work)
            else:
                loop = hand_written(*which, work)
                rate, cost = through_llem(*which, temporary / "results", arguments.seconds)
            ratios.append(rate / loop)
            costs.append(cost)
            print(
                f"{pair + 1:4}  {loop:13.1f}  {rate:13.1f}  {rate / loop:5.3f}  {cost:15.3%}",
                flush=True,
            )
    ratio, cost = statistics.median(ratios), max(costs)
    print(f"median ratio {ratio:.3f}, greatest CPU time {cost:.3%} of a core")


def same_work(
    seconds: float,
    *,
    requests: int = REQUESTS,
    input_tokens: int = INPUT_TOKENS,
    output_tokens: int = OUTPUT_TOKENS,
) -> dict[str, object]:
    """Return the token ids that llem makes for the workload, for the loop to use as well."""
    workload = SyntheticWorkload(
        requests=requests, input_tokens=input_tokens, output_tokens=output_tokens
    )
    facts = ModelInfo(vocab_size=VOCAB_SIZE, special_token_ids=SPECIAL_IDS)
    built = build_workload(workload, max_new_tokens=None, model=facts, prompts=None, encoded=None)
    prompts = [request.prompt_ids for request in built.requests]
    return {"prompts": prompts, "new_tokens": output_tokens, "seconds": seconds}


if __name__ == "__main__":
    main()
