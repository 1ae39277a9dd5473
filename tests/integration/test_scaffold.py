"""A new author's first minutes: write a package, install it, and measure with it."""

import json
import os
import re
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from .conftest import QUICK


class Environment:
    """A virtual environment on top of this one, so that nothing has to be fetched."""

    def __init__(self, folder):
        venv.create(folder, symlinks=True)
        self.python = folder / "bin" / "python"
        # The outer environment's own .pth files count too: core may be installed editable.
        outer = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        [inner] = folder.glob("lib/python*/site-packages")
        (inner / "outer.pth").write_text(outer)

    def __call__(self, *arguments, cwd):
        done = subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def pip_install(self, source, cwd):
        self("-m", "pip", "install", "--no-deps", "--no-build-isolation", source, cwd=cwd)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return an environment and a folder in which it has written and installed llem-demo."""
    folder = tmp_path_factory.mktemp("author")
    environment = Environment(folder / "venv")
    environment.printed = environment("-m", "llem", "plugins", "new", "demo", cwd=folder)
    environment.pip_install("./llem-demo", folder)
    return environment, folder


def test_it_prints_what_to_type_next(place):
    environment, _ = place
    commands = [line.strip() for line in environment.printed.splitlines() if line[:4] == "    "]
    assert commands == [
        "pip install ./llem-demo",
        "llem plugins check demo",
        "llem run --backend demo",
    ]


def test_it_keeps_the_contract(place):
    environment, folder = place
    printed = environment("-m", "llem", "plugins", "check", "demo", cwd=folder)
    assert "FAILED" not in printed
    assert "demo: " in printed
    passed = int(re.search(r"(\d+) passed", printed).group(1))
    assert passed > 40


def test_its_own_tests_pass(place):
    environment, folder = place
    printed = environment("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder / "llem-demo")
    assert re.search(r"\d+ passed", printed)
    assert "failed" not in printed


def test_it_measures(place):
    environment, folder = place
    pairs = [part for name, value in QUICK.items() for part in ("--set", f"{name}={value}")]
    arguments = ["run", "--backend", "demo", "--json", *pairs]
    outcome = json.loads(environment("-m", "llem", *arguments, cwd=folder))
    assert (outcome["status"], outcome["environment"]["engine"]) == ("done", "llem-demo")
    codes = {reason["code"] for reason in outcome["verdict"]["reasons"]}
    # A toy, and yet an engine: its tokens are generated, each with its time.
    assert not codes & {"simulated-engine", "effective-differs"}
    assert outcome["tokens"]["output_tokens"] == 4 * 8 * len(outcome["timing"]["repetitions"])


def test_what_is_there_is_not_overwritten(place):
    environment, folder = place
    before = {path: path.read_bytes() for path in Path(folder, "llem-demo").rglob("*.py")}
    again = subprocess.run(
        [environment.python, "-m", "llem", "plugins", "new", "demo"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 2
    assert "installed already" in again.stderr
    assert {path: path.read_bytes() for path in before} == before
