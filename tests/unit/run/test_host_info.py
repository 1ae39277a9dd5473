"""What the host knows about its machine, beside what other programs say about it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from llem.api.capability import (
    BackendInfo,
    ComputeCapability,
    EngineRequirement,
    Gpu,
    HostInfo,
)
from llem.registry import Registry
from llem.run.host_info import host_facts, relevant_variables, seen_by_worker
from llem.run.worker_environment import distributions_of, versions_in

from ...nvml_simulator.simulator import (
    CAPABILITY,
    GPU_IS_LOST,
    MEMORY,
    NAME,
    NOT_SUPPORTED,
    SimulatedGpus,
)
from ...nvml_simulator.waveform import Waveform

GPUS = """
import json
from llem.run.host_info import host_facts
print(json.dumps([[gpu.uuid, gpu.name, gpu.memory_bytes] for gpu in host_facts().gpus]))
"""


def test_the_processors_are_those_that_may_be_used() -> None:
    counted = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout
    assert host_facts().logical_cores == int(counted)
    first = min(os.sched_getaffinity(0))
    code = "from llem.run.host_info import host_facts; print(host_facts().logical_cores)"
    command = ["taskset", "-c", str(first), sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"1\n"


def test_the_memory_and_the_processors_name_are_the_kernels() -> None:
    [total] = re.findall(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text())
    assert host_facts().memory_bytes == int(total) * 1024
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    assert host_facts().cpu in {*names, os.uname().machine} - {""}


def test_the_system_is_the_kernels() -> None:
    assert host_facts().system.startswith(f"{os.uname().sysname}-{os.uname().release}-")


@pytest.mark.parametrize(
    ("selection", "indices"),
    [(None, [0, 1, 2]), ("2,0", [2, 0]), ("", []), ("1,7,0", [1])],
)
def test_gpus_are_those_that_cuda_shows_in_its_order(
    selection: str | None, indices: list[int], simulated_gpus: Callable[..., SimulatedGpus]
) -> None:
    gpus = simulated_gpus(*[Waveform.constant(100)] * 3)
    environ = {name: value for name, value in gpus.environ.items() if "CUDA" not in name}
    if selection is not None:
        environ["CUDA_VISIBLE_DEVICES"] = selection
    command = [sys.executable, "-c", GPUS]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert [uuid for uuid, _, _ in json.loads(done.stdout)] == [gpus.uuid(at) for at in indices]
    assert all(name and memory > 0 for _, name, memory in json.loads(done.stdout))


def test_variables_that_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("ENGINE_MODE", "fast")
    monkeypatch.setenv("HOME", "/elsewhere")
    assert relevant_variables((), {}) == {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "3"}
    assert relevant_variables(("ENGINE_MODE", "ENGINE_UNSET"), {}) == {
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "3",
        "ENGINE_MODE": "fast",
    }
    # The worker's own come before those of the host.
    of_worker = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "2", "OTHER": "x"}
    assert relevant_variables((), of_worker) == {
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "2",
    }


EIGHTY_GIB = 85899345920
LACKING = f"{NOT_SUPPORTED} 0 inf"


@pytest.mark.parametrize(
    ("faults", "found"),
    [
        (
            [f"error 0 {MEMORY} {LACKING}"],
            [("Simulated GPU", None), ("Simulated GPU", EIGHTY_GIB)],
        ),
        ([f"error 0 {NAME} {LACKING}"], [("", EIGHTY_GIB), ("Simulated GPU", EIGHTY_GIB)]),
        ([f"error 0 {CAPABILITY} {LACKING}"], [("Simulated GPU", EIGHTY_GIB)] * 2),
        ([f"error 0 * {GPU_IS_LOST} 0 inf"], [("Simulated GPU", EIGHTY_GIB)]),
    ],
)
def test_a_device_that_lacks_a_fact_hides_no_device(
    faults: list[str],
    found: list[tuple[str, int | None]],
    simulated_gpus: Callable[..., SimulatedGpus],
) -> None:
    gpus = simulated_gpus(*[Waveform.constant(100)] * 2)
    for fault in faults:
        gpus.plant(fault)
    environ = {name: value for name, value in gpus.environ.items() if "CUDA" not in name}
    command = [sys.executable, "-c", GPUS]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert [(name, memory) for _, name, memory in json.loads(done.stdout)] == found


def test_the_worker_sees_the_devices_of_its_own_environment() -> None:
    device = Gpu("GPU-a", "A", None, None)
    host = HostInfo(system="Linux", cpu="x", logical_cores=1, memory_bytes=1, gpus=(device,))
    assert seen_by_worker(host, {"OMP_NUM_THREADS": "1"}) is host
    assert seen_by_worker(host, {"CUDA_VISIBLE_DEVICES": ""}).gpus == ()


def test_a_device_of_unknown_capability_may_be_tried() -> None:
    device = Gpu("GPU-a", "A", None, None)
    host = HostInfo(system="Linux", cpu="x", logical_cores=1, memory_bytes=1, gpus=(device,))
    assert ComputeCapability(9, 0).met(host)


def test_distributions_that_results_depend_on() -> None:
    plain = BackendInfo("x", "A backend", versions_of=("numpy",))
    assert distributions_of(plain) == ("numpy",)
    engine = EngineRequirement("engine", ">=1", alternatives=("engine-cpu",))
    assert distributions_of(BackendInfo("x", "A backend", engine=engine)) == (
        "engine",
        "engine-cpu",
    )


def test_versions_are_those_of_the_other_interpreter() -> None:
    backend = Registry.discover().backend("simulated")
    assert versions_in(backend, sys.executable) == {"llem": metadata.version("llem-core")}
