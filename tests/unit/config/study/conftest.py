"""Load a study the way a user does."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from llem.api.errors import ConfigError
from llem.config.study import load_study

from ..fakes import FAKE, OTHER, FakeRegistry


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file into the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="study.yaml"):
        Path(name).write_text(textwrap.dedent(text))
        return Path(name)

    return write


@pytest.fixture
def study(write):
    """Load the text of a file called `study.yaml`; its backend is `fake` unless it says so."""

    def study(text, *, registry=None, **options):
        text = textwrap.dedent(text)
        if "backend" not in text:
            text = f"backend: fake\n{text}"
        return load_study(registry or FakeRegistry(FAKE, OTHER), file=write(text), **options)

    return study


@pytest.fixture
def refused(study):
    """Return what is said about a study that is refused, when it is read or expanded."""

    def refused(text, **options):
        with pytest.raises(ConfigError) as caught:
            list(study(text, **options))
        return str(caught.value)

    return refused


def rows(study):
    """Return what tells each point apart."""
    return [study.differences(number) for number in range(len(study))]
