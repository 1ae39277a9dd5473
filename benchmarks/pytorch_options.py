"""What each option of the PyTorch backend is worth on this machine.

SmolLM2-135M through `llem run`, once per option, each in a fresh process:

    python benchmarks/pytorch_options.py [--seconds 5] [--only NAME ...]

Prints a table: output tokens per second, its ratio to the plain run of the same workload, peak
memory of the process, and what the verdict says. One workload has prompts of one length, the other
of very different ones, with eight requests each.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from smollm2 import save_as_safetensors

ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1"}
EVEN = {"workload.requests": 8, "workload.input_tokens": 32, "workload.output_tokens": 32}
UNEVEN = {
    **EVEN,
    "workload.input_tokens": '{"distribution": "uniform", "low": 4, "high": 160}',
    "workload.output_tokens": '{"distribution": "uniform", "low": 4, "high": 60}',
}
ONE = {"pytorch.batch_size": 1, "workload.requests": 2}
FOUR = {"pytorch.batch_size": 4}
OPTIONS: dict[str, dict[str, object]] = {
    "plain": {**EVEN, **FOUR},
    "bfloat16": {**EVEN, **FOUR, "model.dtype": "bfloat16"},
    "int8": {**EVEN, **FOUR, "model.dtype": "bfloat16", "pytorch.load_in_8bit": True},
    "nf4": {
        **EVEN,
        **FOUR,
        "pytorch.load_in_4bit": True,
        "pytorch.bnb_4bit_quant_type": "nf4",
        "pytorch.bnb_4bit_compute_dtype": "float32",
    },
    "eager attention": {**EVEN, **FOUR, "pytorch.attn_implementation": "eager"},
    "static cache": {**EVEN, **FOUR, "pytorch.cache_implementation": "static"},
    "torch.compile, static cache": {
        **EVEN,
        **FOUR,
        "pytorch.cache_implementation": "static",
        "pytorch.torch_compile": True,
    },
    "4 beams": {**EVEN, "pytorch.batch_size": 1, "workload.requests": 4, "pytorch.num_beams": 4},
    "sampling": {**EVEN, **FOUR, "decoder.temperature": 0.7, "decoder.top_p": 0.9},
    "no repeated 3-gram": {**EVEN, **FOUR, "pytorch.no_repeat_ngram_size": 3},
    "one at a time": {**EVEN, **ONE},
    "prompt lookup": {**EVEN, **ONE, "pytorch.prompt_lookup_num_tokens": 5},
    "assistant (itself)": {**EVEN, **ONE, "pytorch.assistant_model": "MODEL"},
    "uneven lengths": {**UNEVEN, **FOUR},
    "uneven, sorted by length": {**UNEVEN, **FOUR, "pytorch.batch_order": "length"},
    "uneven, continuous batching": {**UNEVEN, "pytorch.batching": "continuous"},
}


def measured(folder: Path, settings: dict[str, object], results: Path, seconds: float) -> dict:
    """Return the outcome of one run."""
    chosen = {
        "model.dtype": "float32",
        "decoder.ignore_eos": True,
        "measurement.min_duration_s": seconds,
        "measurement.min_repetitions": 2,
        "measurement.target_ci_ratio": 0.5,
        "measurement.baseline.bare_s": 1,
        "measurement.baseline.loaded_s": 1,
        **settings,
    }
    command = [sys.executable, "-m", "llem", "run", "--json", "--backend", "pytorch"]
    command += ["--model", str(folder), "--out", str(results)]
    for name, value in chosen.items():
        text = str(folder) if value == "MODEL" else value
        command += ["--set", f"{name}={json.dumps(text) if isinstance(text, bool) else text}"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    if not done.stdout:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def base_of(name: str) -> str:
    """Return the option that ``name`` is compared with."""
    if name in ("one at a time", "prompt lookup", "assistant (itself)"):
        return "one at a time"
    return "uneven lengths" if name.startswith("uneven") else "plain"


def main() -> None:
    """Run the options and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="least time of each run")
    parser.add_argument("--only", nargs="+", choices=OPTIONS, help="these options alone")
    arguments = parser.parse_args()
    rates: dict[str, float] = {}
    print("| option | output tokens/s | ratio to its base | peak RSS, MiB | verdict |")
    print("|---|--:|--:|--:|---|")
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        folder = save_as_safetensors(temporary / "model")
        for option in arguments.only or OPTIONS:
            outcome = measured(folder, OPTIONS[option], temporary / "out", arguments.seconds)
            print(row(option, outcome, rates), flush=True)


def row(option: str, outcome: dict, rates: dict[str, float]) -> str:
    """Return a line of the table, and keep the option's rate for those compared with it."""
    reasons = ", ".join(reason["code"] for reason in outcome["verdict"]["reasons"]) or "valid"
    throughput = outcome["throughput"]
    if throughput is None:
        return f"| {option} | | | | {reasons} |"
    rate = throughput["output_tokens_per_s"]
    rates[option] = rate
    base = rates.get(base_of(option))
    ratio = f"{rate / base:.2f}" if base else ""
    memory = outcome["memory"]["host_peak_rss_bytes"]
    return f"| {option} | {rate:.1f} | {ratio} | {memory / 2**20:.0f} | {reasons} |"


if __name__ == "__main__":
    main()
