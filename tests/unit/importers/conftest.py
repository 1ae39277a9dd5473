"""Import the files in ``data`` as the command does."""

from pathlib import Path

import pytest

from llem.api.importers import ImportHints
from llem.registry import Registry
from llem.results.import_results import import_file

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def registry():
    return Registry.discover()


@pytest.fixture
def outcomes(registry, tmp_path):
    """Return a function that imports a file, and returns the outcome of each result."""

    def load(name, **hints):
        stored = import_file(DATA / name, registry, tmp_path, ImportHints(**hints))
        return [item.outcome for item in stored]

    return load


@pytest.fixture
def outcome(outcomes):
    """Return a function that imports a file of one result."""

    def load(name, **hints):
        (found,) = outcomes(name, **hints)
        return found

    return load
