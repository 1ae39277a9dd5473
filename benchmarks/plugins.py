"""What each installed plugin costs `llem --help` and `llem capabilities`.

    python benchmarks/plugins.py --pairs 15

Whole processes, with and without 30 generated plugins in turn, so that a busy machine slows both
alike. Three of the 30 are bad: one cannot be imported, one takes 0.6 s to import, and one is there
twice. What the slow one takes is its own time, and told apart.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from llem.api import ENTRY_POINT_GROUP
from llem.testing.scaffold import Identity, package_files

LLEM = str(Path(sys.executable).with_name("llem"))
COMMANDS = ("--help", "capabilities", "plugins")
COUNT = 30
BROKEN, SLOW, DUPLICATE = "p00", "p01", "p02"
SLOW_S = 0.6


def main() -> None:
    """Time each command in each environment and print what a plugin adds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=15, help="processes of each kind")
    pairs = parser.parse_args().pairs
    with TemporaryDirectory() as folder:
        all_bad, healthy = Path(folder, "all"), Path(folder, "healthy")
        for number in range(COUNT):
            name = f"p{number:02}"
            install(all_bad, name)
            if name not in {BROKEN, SLOW, DUPLICATE}:
                install(healthy, name)
        spoil(all_bad)
        environs = {
            "none": environment(),
            f"{COUNT - 3} healthy": environment(healthy),
            f"all {COUNT}": environment(all_bad),
        }
        print(f"load average {os.getloadavg()[0]:.2f}, {pairs} processes of each kind")
        print(f"{'command':20} {'plugins':>12} {'median ms':>10} {'ratio':>6} {'ms/plugin':>10}")
        for command in COMMANDS:
            report(command, timed(command, environs, pairs))


def report(command: str, durations_s: Mapping[str, list[float]]) -> None:
    """Print the medians of one command, each against the one without the plugins."""
    medians_ms = {name: 1000 * median(values) for name, values in durations_s.items()}
    base_ms = medians_ms["none"]
    for name, value_ms in medians_ms.items():
        count = {"none": 0, f"all {COUNT}": COUNT}.get(name, COUNT - 3)
        own_ms = 1000 * SLOW_S if count == COUNT and command != "--help" else 0.0
        each = f"{(value_ms - base_ms - own_ms) / count:10.2f}" if count else ""
        note = f"  {own_ms:.0f} ms of the slow one taken off" if own_ms else ""
        ratio = value_ms / base_ms
        print(f"{'llem ' + command:20} {name:>12} {value_ms:10.1f} {ratio:6.2f} {each:>10}{note}")


def install(folder: Path, name: str) -> None:
    """Put a generated plugin where an installer would."""
    identity = Identity(name)
    for path, text in package_files(identity).items():
        if path.parts[0] == "src":
            place = folder.joinpath(*path.parts[1:])
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
    describe(folder, identity.distribution, name, f"{identity.package}.plugin")


def describe(folder: Path, distribution: str, name: str, module: str) -> None:
    """Write the metadata of a distribution that offers a plugin."""
    info = folder / f"{distribution.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[{ENTRY_POINT_GROUP}]\n{name} = {module}\n")


def spoil(folder: Path) -> None:
    """Make three of the plugins bad."""
    (folder / f"llem_{BROKEN}/plugin.py").write_text("import no_such_module_anywhere\n")
    slow = folder / f"llem_{SLOW}/plugin.py"
    slow.write_text(slow.read_text() + f"\n\nimport time\n\ntime.sleep({SLOW_S})\n")
    describe(folder, "llem-rival", DUPLICATE, "llem_rival.plugin")


def environment(folder: Path | None = None) -> dict[str, str]:
    """Return the variables of a process that sees the plugins of ``folder`` besides."""
    # An installer compiles what it installs; here the first run of each kind does.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return environ | ({"PYTHONPATH": str(folder)} if folder else {})


def timed(
    command: str, environs: Mapping[str, dict[str, str]], pairs: int
) -> dict[str, list[float]]:
    """Return the wall times of ``llem command`` in each environment, in seconds."""
    durations_s: dict[str, list[float]] = {name: [] for name in environs}
    for turn in range(pairs + 1):
        for name, environ in environs.items():
            start_s = time.perf_counter()
            subprocess.run([LLEM, command], env=environ, check=True, capture_output=True)
            if turn:  # the first one compiles
                durations_s[name].append(time.perf_counter() - start_s)
    return durations_s


if __name__ == "__main__":
    main()
