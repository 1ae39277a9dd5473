"""Experiments that take a second, and a fresh interpreter to measure them in."""

import subprocess
import sys

import psutil

from llem.results import read_outcome

QUICK = {
    "backend": "simulated",
    "workload": {"requests": 2, "output_tokens": 4},
    "measurement": {
        "min_duration_s": 0.02,
        "max_duration_s": 1,
        "sample_period_s": 0.01,
        "target_ci_ratio": 0.9,
        "warmup": {"stable_within_ratio": 1},
        "baseline": {"bare_s": 0, "loaded_s": 0, "after_s": 0},
        "thresholds": {"max_foreign_load_ratio": 1},
    },
}
SLOW = {**QUICK, "simulated": {"decode_steps_per_s": 2}}
SWEEP = {**QUICK, "sweep": {"simulated.batch_size": [1, 2]}, "study": {"name": "batches"}}


class Interpreter:
    """A fresh interpreter in a folder, with `QUICK`, `SLOW` and `SWEEP` defined."""

    def __init__(self, folder):
        self.folder = folder
        named = {"QUICK": QUICK, "SLOW": SLOW, "SWEEP": SWEEP}
        self._before = "".join(f"{name} = {value!r}\n" for name, value in named.items())

    def start(self, script, **streams):
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **streams}
        command = [sys.executable, "-c", self._before + script]
        return psutil.Popen(command, cwd=self.folder, **streams)

    def __call__(self, script):
        """Run `script` to its end and return what it printed."""
        process = self.start(script)
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
        assert stderr == ""
        return stdout


def batch_size(outcome):
    return outcome.experiment["simulated"]["batch_size"]


def stored(folder):
    """Return every outcome in `folder`; a hidden working folder would be a fault."""
    assert not list(folder.glob(".*"))
    return [read_outcome(path) for path in sorted(folder.iterdir())]
