"""Zeus itself, on devices that are not there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("zeus")

DEVICES = Path(__file__).with_name("devices")


@pytest.fixture
def llem(tmp_path):
    """Run `llem … --json` with the simulated vendor libraries and return its answer."""

    def llem(*arguments, **env):
        done = subprocess.run(
            [sys.executable, "-m", "llem", *arguments],
            env={**os.environ, **env, "PYTHONPATH": str(DEVICES)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        llem.stderr = done.stderr
        return json.loads(done.stdout)

    return llem


@pytest.fixture
def run():
    """Run a program with the simulated vendor libraries and return what it prints as JSON."""

    def run(program):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(DEVICES)},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return json.loads(done.stdout)

    return run
