"""The real command line in a process of its own, on the simulated backend."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from .quick_experiments import Interpreter

QUICK = {
    "workload.requests": 4,
    "workload.output_tokens": 8,
    "measurement.min_duration_s": 0.2,
    "measurement.max_duration_s": 1,
    "measurement.sample_period_s": 0.02,
    "measurement.target_ci_ratio": 0.5,
    "measurement.baseline.bare_s": 0.1,
    "measurement.baseline.loaded_s": 0.1,
    "measurement.baseline.after_s": 0.1,
    "measurement.warmup.stable_within_ratio": 1,
    # Whatever else this machine does is none of the tests' affair.
    "measurement.thresholds.max_foreign_load_ratio": 1,
}


class Llem:
    """Runs `llem` in a folder and remembers where outcomes go."""

    def __init__(self, folder):
        self.folder = folder
        self.results = folder / "results"

    def command(self, *arguments):
        return [sys.executable, "-m", "llem", *map(str, arguments)]

    def __call__(self, *arguments, check=None, **env):
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=120,
        )
        if check is not None:
            assert done.returncode == check, (done.returncode, done.stdout, done.stderr)
        return done

    def run_arguments(self, *arguments, **settings):
        """Return the arguments of a quick run; `a__b=1` sets `a.b`."""
        chosen = QUICK | {name.replace("__", "."): value for name, value in settings.items()}
        pairs = [part for name, value in chosen.items() for part in ("--set", f"{name}={value}")]
        return ["run", "--backend", "simulated", *arguments, *pairs]

    def run(self, *arguments, check=None, **settings):
        """Run a quick experiment with `--json` and return the outcome document."""
        done = self(*self.run_arguments("--json", *arguments, **settings), check=check)
        return json.loads(done.stdout)

    def start(self, *arguments, **settings):
        """Start a quick experiment and return its process."""
        return self.start_command(*self.run_arguments("--json", *arguments, **settings))

    def start_command(self, *arguments, **env):
        """Start `llem` and return its process."""
        return psutil.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def stored(self):
        """Return every stored outcome; hidden working folders would be a fault."""
        folders = sorted(self.results.iterdir()) if self.results.exists() else []
        assert not [folder for folder in folders if folder.name.startswith(".")]
        return [json.loads((folder / "outcome.json").read_text()) for folder in folders]


@pytest.fixture
def llem(tmp_path):
    return Llem(tmp_path)


@pytest.fixture
def llem_command(llem):
    """The command, where `llem` is the package."""
    return llem


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def interpreter(tmp_path):
    return Interpreter(tmp_path)


def wait_until(condition, timeout_s=20.0):
    """Wait for `condition()` to become true and return it."""
    deadline_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.02)
    return value


def worker_of(process):
    """Return the worker process of a running `llem run`, or None."""
    try:
        children = process.children()
    except psutil.NoSuchProcess:
        return None
    return next((child for child in children if "llem.process" in " ".join(_cmdline(child))), None)


def _cmdline(process):
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def orphans():
    """Return every worker process on this machine that has lost its host."""
    found = []
    for process in psutil.process_iter(["ppid"]):
        if "llem.process" in " ".join(_cmdline(process)) and process.info["ppid"] == 1:
            found.append(process)
    return found


@pytest.fixture(scope="session", autouse=True)
def signals_as_from_a_terminal():
    """Ignore no signal that a background job or `nohup` ignores: processes would inherit that."""
    before = {name: signal.getsignal(name) for name in (signal.SIGHUP, signal.SIGQUIT)}
    for name, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(name, signal.SIG_DFL)
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.fixture(autouse=True)
def no_orphans():
    yield
    assert orphans() == []


@pytest.fixture
def send():
    """Send a signal to a process and return its exit code and output."""

    def send(process, signum=signal.SIGINT):
        process.send_signal(signum)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    return send
