"""What every test may rely on: no model hub, a cache of its own, no settings of the user's."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from .nvml_simulator.simulator import SimulatedGpus, compile_driver
from .nvml_simulator.waveform import Waveform

# huggingface_hub reads it once, at import; no fixture is early enough.
os.environ["HF_HUB_OFFLINE"] = "1"

# A shell lets what it starts in the background ignore Ctrl-C, and that is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(autouse=True, scope="session")
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the user's ``LLEM_*`` settings out, and the shapes written by tests in one folder."""
    for name in [name for name in os.environ if name.startswith("LLEM_")]:
        del os.environ[name]
    os.environ["LLEM_CACHE_DIR"] = str(tmp_path_factory.mktemp("llem-cache"))


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated NVIDIA driver, compiled."""
    return compile_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def simulated_gpus(tmp_path: Path, nvml_library: Path) -> Callable[..., SimulatedGpus]:
    """Return the function that makes GPUs of the given waveforms."""

    def make(*waveforms: Waveform, settings: tuple[str, ...] = ()) -> SimulatedGpus:
        return SimulatedGpus(tmp_path, nvml_library, waveforms, *settings)

    return make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs an NVIDIA device where there is none."""
    if Path("/dev/nvidiactl").exists():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="no NVIDIA device"))
