"""Facts about this machine, without an engine."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import psutil
import pynvml

from llem.api.capability import Gpu, HostInfo

T = TypeVar("T")

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
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def seen_by_worker(host: HostInfo, env: Mapping[str, str]) -> HostInfo:
    """Return ``host`` as a worker sees it that gets ``env`` on top of the present environment."""
    if "CUDA_VISIBLE_DEVICES" not in env:
        return host
    return replace(host, gpus=tuple(visible_gpus(env)))


def visible_gpus(env: Mapping[str, str] | None = None) -> Iterator[Gpu]:
    """Yield the NVIDIA devices that an engine would see here, in its order.

    Args:
        env: Variables on top of the present environment.
    """
    selection = {**os.environ, **(env or {})}.get("CUDA_VISIBLE_DEVICES")
    yield from visible(of_each_gpu(_describe), selection)


def visible(gpus: Sequence[Gpu | None], selection: str | None) -> Iterator[Gpu]:
    """Yield the GPUs that are visible with ``CUDA_VISIBLE_DEVICES=selection``, in its order.

    An entry is an index, or the start of the UUID of a device or of a MIG instance. The first entry
    that names no device ends the list, as in CUDA. A device that does not answer (``None``) keeps
    its index, and is not seen.
    """
    answering = [gpu for gpu in gpus if gpu is not None]
    if selection is None:
        yield from answering
        return
    for entry in (part.strip() for part in selection.split(",")):
        if entry.isdecimal() and int(entry) < len(gpus):
            if (gpu := gpus[int(entry)]) is not None:
                yield gpu
            continue
        named = [gpu for gpu in answering if _is_named(gpu, entry)]
        if len(named) != 1:
            return
        yield named[0]


def _is_named(gpu: Gpu, entry: str) -> bool:
    if entry.startswith("MIG-GPU-"):
        # The form before driver 470: the UUID of the whole device, and the instance's numbers.
        return gpu.uuid == entry.removeprefix("MIG-").partition("/")[0]
    if entry.startswith("MIG-"):
        return any(uuid.startswith(entry) for uuid in gpu.instances)
    return entry.startswith("GPU-") and gpu.uuid.startswith(entry)


def whole_devices(devices: Sequence[str], gpus: Sequence[Gpu]) -> list[str]:
    """Return device ids with each MIG instance replaced by its device, which has the meter."""
    whole = []
    for device in devices:
        kind, _, uuid = device.partition(":")
        named = [gpu for gpu in gpus if uuid.startswith("MIG-") and _is_named(gpu, uuid)]
        whole.append(f"{kind}:{named[0].uuid}" if len(named) == 1 else device)
    return list(dict.fromkeys(whole))


def relevant_variables(of_backend: Sequence[str], env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a worker that an outcome records.

    Args:
        of_backend: Names that the backend adds.
        env: What the worker gets on top of the present environment.
    """
    names, of_worker = (*RELEVANT_VARIABLES, *of_backend), {**os.environ, **env}
    return {name: of_worker[name] for name in names if name in of_worker}


def of_each_gpu(read: Callable[[object], T]) -> list[T | None]:
    """Return what ``read`` reads of each NVIDIA device, by its handle; nothing without a driver.

    A device that does not answer gives ``None``; the others are read all the same.
    """
    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        try:
            return [_read_one(read, index) for index in range(pynvml.nvmlDeviceGetCount())]
        finally:
            pynvml.nvmlShutdown()
    return []


def _read_one(read: Callable[[object], T], index: int) -> T | None:
    return _fact(lambda: read(pynvml.nvmlDeviceGetHandleByIndex(index)))


def _fact(read: Callable[[], T]) -> T | None:
    """Return what ``read`` reads, or ``None`` for what the device does not report."""
    try:
        return read()
    except pynvml.NVMLError:
        return None


def _describe(handle: object) -> Gpu:
    """Describe a device, which has at least a UUID."""
    capability = _fact(lambda: tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle)))
    return Gpu(
        uuid=pynvml.nvmlDeviceGetUUID(handle),
        name=_fact(lambda: pynvml.nvmlDeviceGetName(handle)) or "",
        # Devices that share the host's memory, such as DGX Spark's, report none of their own.
        memory_bytes=_fact(lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)),
        compute_capability=capability,
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
