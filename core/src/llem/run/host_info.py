"""Facts about the machine and about environments of workers, without an engine."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import psutil
import pynvml

from llem.api.capability import BackendInfo, Gpu, HostInfo
from llem.process.worker_process import WorkerProcess, interpreter
from llem.registry import Backend
from llem.run.metering import visible
from llem.schema.experiment import RunnerConfig

T = TypeVar("T")


def distributions_of(info: BackendInfo) -> tuple[str, ...]:
    """Return the distributions whose versions matter to a backend's results."""
    engine = info.engine
    return (*((engine.distribution, *engine.alternatives) if engine else ()), *info.versions_of)


def versions_in(backend: Backend, python: str) -> Mapping[str, str]:
    """Return the versions of these distributions, and of llem, in the environment of ``python``.

    Raises:
        ExperimentFailed: No worker can be started there.
    """
    with worker_in(backend, python) as (_, versions):
        return versions


@contextmanager
def worker_in(
    backend: Backend, python: str | None
) -> Iterator[tuple[WorkerProcess, Mapping[str, str]]]:
    """Yield a worker in the environment of ``python``, and the versions installed there.

    Yields:
        The worker, with the backend's plugin imported, and the versions of
        :func:`distributions_of` the backend, and of llem.

    Raises:
        ExperimentFailed: No worker can be started there.
    """
    limits = RunnerConfig()
    start_s = limits.timeouts.start_s
    with (
        TemporaryDirectory(prefix="llem-query-") as folder,
        WorkerProcess(
            python=interpreter(python),
            env={},
            log_path=Path(folder, "worker.log"),
            max_log_bytes=limits.max_log_bytes,
        ) as worker,
    ):
        hello = worker.hello(start_s)
        distributions = list(distributions_of(backend.info))
        answer = worker.call("start", start_s, plugin=backend.module, distributions=distributions)
        yield worker, {"llem": hello.llem, **answer["versions"]}


RELEVANT_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "HF_HUB_OFFLINE",
    "KMP_AFFINITY",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "TOKENIZERS_PARALLELISM",
)
"""Environment variables that change results on any backend. An outcome records them and the
variables that the backend declares."""


def host_facts() -> HostInfo:
    """Return the facts of this machine."""
    return HostInfo(
        system=platform.platform(),
        cpu=cpu_name(),
        logical_cores=len(os.sched_getaffinity(0)),
        memory_bytes=psutil.virtual_memory().total,
        gpus=tuple(visible_gpus()),
    )


def cpu_name() -> str:
    """Return the processor's name from the kernel."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def visible_gpus() -> Iterator[Gpu]:
    """Yield the NVIDIA devices that an engine would see here, in its order."""
    yield from visible(of_each_gpu(_describe), os.environ.get("CUDA_VISIBLE_DEVICES"))


def relevant_variables(of_backend: Sequence[str]) -> dict[str, str]:
    """Return the set environment variables that an outcome records."""
    names = (*RELEVANT_VARIABLES, *of_backend)
    return {name: os.environ[name] for name in names if name in os.environ}


def of_each_gpu(read: Callable[[object], T]) -> list[T]:
    """Return what ``read`` reads of each NVIDIA device, by its handle; nothing without a driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        count = pynvml.nvmlDeviceGetCount()
        return [read(pynvml.nvmlDeviceGetHandleByIndex(index)) for index in range(count)]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _describe(handle: object) -> Gpu:
    return Gpu(
        uuid=pynvml.nvmlDeviceGetUUID(handle),
        name=pynvml.nvmlDeviceGetName(handle),
        memory_bytes=pynvml.nvmlDeviceGetMemoryInfo(handle).total,
        compute_capability=tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle)),
        instances=tuple(_instances(handle)),
    )


def _instances(handle: object) -> Iterator[str]:
    """Yield the UUIDs of the MIG instances of a device."""
    try:
        for index in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
            with suppress(pynvml.NVMLError_NotFound):
                instance = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
                yield pynvml.nvmlDeviceGetUUID(instance)
    except pynvml.NVMLError:
        return
