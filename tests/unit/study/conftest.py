"""Studies on the simulated backend, which is real and needs no engine."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from llem.config.study import load_study
from llem.registry import Registry
from llem.study.plan import plan_study


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load the text of a study file called `study.yaml`."""
    monkeypatch.chdir(tmp_path)

    def load(text):
        file = Path("study.yaml")
        file.write_text("backend: simulated\n" + textwrap.dedent(text))
        return load_study(Registry.discover(), file=file)

    return load


@pytest.fixture
def plan(load):
    """Plan the text of a study file."""
    return lambda text: plan_study(load(text))
