"""Load an experiment the way a user does, and see what is said about it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from llem.config import load_experiment
from llem.errors import ConfigError, ConfigInvalid
from llem.study.load_study import load_study

from .fakes import FAKE, OTHER, FakeRegistry


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load the text of a file called `exp.yaml`, or no file at all."""
    monkeypatch.chdir(tmp_path)

    def load(text=None, *, name="exp.yaml", registry=None, **options):
        file = None
        if text is not None:
            file = Path(name)
            file.write_text(textwrap.dedent(text))
        return load_experiment(registry or FakeRegistry(FAKE, OTHER), file=file, **options)

    return load


@pytest.fixture
def refused(load):
    """Return the lines that refuse an experiment."""

    def refused(*arguments, **options):
        with pytest.raises(ConfigInvalid) as caught:
            load(*arguments, **options)
        assert caught.value.exit_code == 2
        return str(caught.value).splitlines()

    return refused


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
def study_refused(study):
    """Return what is said about a study that is refused, when it is read or expanded."""

    def study_refused(text, **options):
        with pytest.raises(ConfigError) as caught:
            list(study(text, **options))
        return str(caught.value)

    return study_refused
