"""Load an experiment the way a user does, and see what is said about it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from llem.config import load_experiment
from llem.errors import ConfigInvalid

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
