"""How long the command line takes to start, against importing click alone.

    python benchmarks/startup.py --pairs 20

Whole processes, one of each kind in turn, so that a busy machine slows all alike.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

LLEM = str(Path(sys.executable).with_name("llem"))
COMMANDS = {
    'python -c "import click"': [sys.executable, "-c", "import click"],
    "llem --help": [LLEM, "--help"],
    "llem capabilities": [LLEM, "capabilities"],
}


def main() -> None:
    """Time each command and print medians and ratios to the first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=20, help="processes of each kind")
    pairs = parser.parse_args().pairs
    # An installer compiles what it installs; an editable checkout is compiled by its first run,
    # unless the environment forbids it, and compiling is not what is measured here.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    durations_s: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for command in COMMANDS.values():
        seconds(command, environ)
    for _ in range(pairs):
        for name, command in COMMANDS.items():
            durations_s[name].append(seconds(command, environ))
    medians_s = {name: median(values) for name, values in durations_s.items()}
    base_s = next(iter(medians_s.values()))
    print(f"{'command':26}  {'median ms':>9}  {'ratio':>5}")
    for name, value_s in medians_s.items():
        print(f"{name:26}  {1000 * value_s:9.1f}  {value_s / base_s:5.2f}")


def seconds(command: list[str], environ: dict[str, str]) -> float:
    """Return the wall time of one process, in seconds."""
    start_s = time.perf_counter()
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start_s


if __name__ == "__main__":
    main()
