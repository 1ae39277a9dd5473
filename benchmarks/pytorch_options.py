"""What each option of the PyTorch backend is worth on this machine.

SmolLM2-135M through `llem run`, once per option and round, each in a fresh process, and through a
loop written by hand:

    python benchmarks/pytorch_options.py [--minutes 10] [--seconds 1] [--only NAME ...]

Round after round until the minutes are over, and one whole round at least. Each begins with what
others are compared with, and takes the rest forwards and backwards in turn. Prints a table: output
tokens per second, the ratio to the option compared with (both medians over all repetitions of all
rounds; in brackets the least and the greatest ratio that any two repetitions have), peak memory of
the process, and what the verdict says.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fidelity import hand_written, same_work
from smollm2 import save_as_safetensors

ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1"}
MODEL = "MODEL"
"""Stands for the folder of the model."""
TIME_LIMIT_S = 300
"""A run that takes longer has failed."""

EVEN = {"workload.requests": 8, "workload.input_tokens": 32, "workload.output_tokens": 16}
UNEVEN = {
    "workload.requests": 16,
    "workload.input_tokens": '{"distribution": "uniform", "low": 4, "high": 128}',
    "workload.output_tokens": '{"distribution": "uniform", "low": 2, "high": 32}',
}
ALONE, TOGETHER, MIXED = "one at a time", "batch of 8", "uneven lengths, batch of 4"
LOOP = "batch of 8, hand-written loop"


@dataclass(frozen=True)
class Option:
    """What is measured, and what it is compared with.

    Attributes:
        base: Name of the option that its rate is divided by.
        settings: The fields set for it.
    """

    base: str
    settings: dict[str, object] = field(default_factory=dict)


def alone(**section: object) -> Option:
    """Return an option of the workload in which one request runs at a time."""
    return Option(ALONE, {**EVEN, "workload.requests": 2, **_fields(section)})


def together(base: str = TOGETHER, *, batch_size: int = 8, **section: object) -> Option:
    """Return an option of the workload of equal lengths."""
    return Option(base, {**EVEN, **_fields({"batch_size": batch_size, **section})})


def mixed(**section: object) -> Option:
    """Return an option of the workload of very different lengths."""
    return Option(MIXED, {**UNEVEN, **_fields(section)})


def _fields(section: dict[str, object]) -> dict[str, object]:
    return {f"pytorch.{name}": value for name, value in section.items()}


def _with(option: Option, **shared: object) -> Option:
    """Return the option with fields of `model` or `decoder` besides, as `decoder__top_p`."""
    more = {name.replace("__", "."): value for name, value in shared.items()}
    return Option(option.base, {**option.settings, **more})


STATIC = {"cache_implementation": "static"}
OPTIONS = {
    ALONE: alone(),
    "batch of 4": together(ALONE, batch_size=4),
    TOGETHER: together(ALONE),
    LOOP: Option(TOGETHER),
    "bfloat16": _with(together(), model__dtype="bfloat16"),
    "int8 (bitsandbytes)": _with(together(load_in_8bit=True), model__dtype="bfloat16"),
    "nf4 (bitsandbytes)": together(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype="float32"
    ),
    "eager attention": together(attn_implementation="eager"),
    "sdpa, math kernel only": together(sdpa_kernels=["math"]),
    "static cache": together(**STATIC),
    "torch.compile, static cache": together(torch_compile=True, **STATIC),
    "4 beams": together(batch_size=2, num_beams=4),
    "sampling": _with(together(), decoder__temperature=0.7, decoder__top_p=0.9),
    "no repeated 3-gram": together(no_repeat_ngram_size=3),
    "one at a time, torch.compile, static cache": alone(torch_compile=True, **STATIC),
    "prompt lookup": alone(prompt_lookup_num_tokens=5),
    "assistant (the model itself)": alone(assistant_model=MODEL, num_assistant_tokens=4),
    MIXED: mixed(batch_size=4),
    "uneven, sorted by length": mixed(batch_size=4, batch_order="length"),
    "uneven, continuous batching": mixed(batching="continuous"),
}


@dataclass(frozen=True)
class Measured:
    """What one run of an option came to.

    Attributes:
        tokens_per_s: Output tokens per second of each repetition; none of a run that failed.
        peak_bytes: Peak memory of the process, or `None`.
        said: What the verdict says, or why there is nothing.
    """

    tokens_per_s: tuple[float, ...] = ()
    peak_bytes: int | None = None
    said: str = ""


class Bench:
    """Runs options on one model.

    Args:
        folder: Where the model and the outcomes go.
        seconds: Least time of each measurement.
    """

    def __init__(self, folder: Path, seconds: float) -> None:
        self._model, self._results = save_as_safetensors(folder / "model"), folder / "results"
        self._seconds = seconds
        self._work = folder / "work.json"
        sizes = {name.removeprefix("workload."): size for name, size in EVEN.items()}
        work = same_work(seconds, **sizes)
        self._work.write_text(json.dumps({**work, "dtype": "float32"}))

    def measured(self, name: str) -> Measured:
        """Return what one run of the option came to."""
        try:
            if name == LOOP:
                rate = hand_written("pytorch", sys.executable, self._model, self._work)
                return Measured((rate,))
            done = subprocess.run(
                self._command(OPTIONS[name].settings),
                env=ENVIRONMENT,
                capture_output=True,
                text=True,
                timeout=TIME_LIMIT_S,
            )
            outcome = json.loads(done.stdout)
        except subprocess.CalledProcessError as error:
            return Measured(said=str(error))
        except subprocess.TimeoutExpired:
            return Measured(said=f"took more than {TIME_LIMIT_S} s")
        except json.JSONDecodeError:
            return Measured(said=(done.stderr.strip() or "no answer").splitlines()[-1])
        return _read(outcome)

    def _command(self, settings: dict[str, object]) -> list[str]:
        chosen = {
            "model.dtype": "float32",
            "measurement.min_duration_s": self._seconds,
            "measurement.min_repetitions": 2,
            "measurement.target_ci_ratio": 1,
            "measurement.warmup.strategy": "fixed",
            "measurement.warmup.max_duration_s": 120,
            "measurement.baseline.bare_s": 0,
            "measurement.baseline.loaded_s": 0,
            "measurement.baseline.after_s": 0,
            **settings,
        }
        command = [sys.executable, "-m", "llem", "run", "--json", "--backend", "pytorch"]
        command += ["--model", str(self._model), "--out", str(self._results)]
        for name, value in chosen.items():
            text = str(self._model) if value == MODEL else value
            text = text if isinstance(text, str) else json.dumps(text)
            command += ["--set", f"{name}={text}"]
        return command


def _read(outcome: dict[str, Any]) -> Measured:
    reasons = ", ".join(reason["code"] for reason in outcome["verdict"]["reasons"]) or "valid"
    memory, repetitions = outcome["memory"], outcome["timing"]["repetitions"]
    return Measured(
        tuple(repetition["output_tokens_per_s"] for repetition in repetitions),
        memory and memory["host_peak_rss_bytes"],
        reasons,
    )


def row(name: str, rounds: list[dict[str, Measured]]) -> str:
    """Return the option's line of the table."""
    mine = [round_[name] for round_ in rounds if name in round_]
    rates, base = _rates(name, rounds), OPTIONS[name].base
    peaks = [measured.peak_bytes / 2**20 for measured in mine if measured.peak_bytes]
    rate = f"{statistics.median(rates):.1f}" if rates else "none"
    peak = f"{statistics.median(peaks):.0f}" if peaks else ""
    said = "; ".join(dict.fromkeys(measured.said for measured in mine))
    if base == name:
        return f"| {name} | {rate} | | | {peak} | {said} |"
    return f"| {name} | {rate} | {_ratio(rates, _rates(base, rounds))} | {base} | {peak} | {said} |"


def _rates(name: str, rounds: list[dict[str, Measured]]) -> list[float]:
    return [rate for round_ in rounds if name in round_ for rate in round_[name].tokens_per_s]


def _ratio(rates: list[float], base: list[float]) -> str:
    if not rates or not base:
        return ""
    least, greatest = min(rates) / max(base), max(rates) / min(base)
    ratio = statistics.median(rates) / statistics.median(base)
    return f"{ratio:.2f} ({least:.2f} to {greatest:.2f})"


def order(names: list[str], number: int) -> list[str]:
    """Return the options as round `number` takes them."""
    bases = [name for name in names if name in (ALONE, TOGETHER, MIXED)]
    rest = [name for name in names if name not in bases]
    return bases + (rest[::-1] if number % 2 else rest)


def run_rounds(bench: Bench, names: list[str], minutes: float) -> list[dict[str, Measured]]:
    """Return what every option came to, round by round; the last one may lack some."""
    rounds: list[dict[str, Measured]] = []
    ends_s = time.monotonic() + minutes * 60
    while not rounds or time.monotonic() < ends_s:
        rounds.append({})
        for name in order(names, len(rounds) - 1):
            if len(rounds) > 1 and time.monotonic() > ends_s:
                break
            measured = rounds[-1][name] = bench.measured(name)
            print(f"round {len(rounds)}: {name}: {measured}", file=sys.stderr, flush=True)
    return rounds


def main() -> None:
    """Run the options and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10, help="when the last run begins")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time of each measurement")
    parser.add_argument("--only", nargs="+", choices=OPTIONS, help="these and what they need alone")
    arguments = parser.parse_args()
    wanted = set(arguments.only or OPTIONS)
    wanted |= {OPTIONS[name].base for name in wanted}
    names = [name for name in OPTIONS if name in wanted]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.seconds)
        rounds = run_rounds(bench, names, arguments.minutes)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers"))
    print(
        f"{len(rounds)} rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {versions}"
    )
    print("| option | output tokens/s | ratio (least to greatest) | to | peak RSS, MiB | verdict |")
    print("|---|--:|--:|---|--:|---|")
    for name in names:
        print(row(name, rounds))


if __name__ == "__main__":
    main()
