"""Judge an experiment against this machine, before anything is started."""

from __future__ import annotations

from collections.abc import Iterator

from llem.api import Experiment, Finding
from llem.api.capability import HostInfo
from llem.schema.fields import acts
from llem_pytorch.config import PyTorchFields
from llem_pytorch.rules.devices import OF_CUDA

FLASH_ATTENTION_CAPABILITY = {
    "flash_attention_2": (8, 0),
    "flash_attention_3": (9, 0),
    "flash_attention_4": (9, 0),
}
"""Least NVIDIA compute capability of each kernel, as its README states it."""

BFLOAT16_CAPABILITY = (8, 0)
"""First NVIDIA compute capability whose tensor cores multiply bfloat16."""


def review(experiment: Experiment, facts: HostInfo) -> Iterator[Finding]:
    """Yield what speaks against running ``experiment`` on the machine of ``facts``."""
    section = experiment.section_as(PyTorchFields)
    yield from _device(section, facts)
    yield from _kernel(section, facts)
    yield from _dtype(experiment, section, facts)
    yield from _batch(experiment, section)
    yield from _without_gpu(experiment, section, facts)
    yield from _processes(section)


def _device(section: PyTorchFields, facts: HostInfo) -> Iterator[Finding]:
    if section.device == "cuda" and not facts.gpus:
        yield Finding(
            code="no-cuda-device",
            message="no NVIDIA device is visible here.",
            path="pytorch.device",
            hint="Use cpu, or check the driver and CUDA_VISIBLE_DEVICES.",
        )


def _kernel(section: PyTorchFields, facts: HostInfo) -> Iterator[Finding]:
    if not section.asks_for_flash_attention:
        return
    name = section.attn_implementation
    assert name is not None
    needed = FLASH_ATTENTION_CAPABILITY.get(name, (8, 0))
    if facts.gpus and facts.gpus[0].compute_capability >= needed:
        return
    found = _capability(facts.gpus[0].compute_capability) if facts.gpus else "no NVIDIA device"
    yield Finding(
        code="kernel-not-supported",
        message=f"{name} needs compute capability {_capability(needed)}; there is {found}.",
        path="pytorch.attn_implementation",
        hint="Use sdpa.",
    )


def _dtype(experiment: Experiment, section: PyTorchFields, facts: HostInfo) -> Iterator[Finding]:
    dtype, device = experiment.model.dtype, section.device
    if dtype == "float16" and (device == "cpu" or not facts.gpus):
        yield Finding(
            code="float16-on-cpu",
            message="few processors calculate in float16, so this can be very slow.",
            severity="warning",
            path="model.dtype",
            hint="Use bfloat16 or float32 unless float16 on a CPU is the question.",
        )
    on_gpu = device != "cpu" and bool(facts.gpus)
    if dtype == "bfloat16" and on_gpu:
        capability = facts.gpus[0].compute_capability
        if capability < BFLOAT16_CAPABILITY:
            yield Finding(
                code="bfloat16-emulated",
                message=f"compute capability {_capability(capability)} only emulates bfloat16.",
                severity="warning",
                path="model.dtype",
                hint="Use float16.",
            )


def _batch(experiment: Experiment, section: PyTorchFields) -> Iterator[Finding]:
    size, requests = section.batch_size, experiment.workload.requests
    if size is not None and requests is not None and size > requests:
        yield Finding(
            code="batch-larger-than-workload",
            message=f"a batch of {size} cannot be filled by {requests} requests.",
            severity="warning",
            path="pytorch.batch_size",
            hint="Raise workload.requests, or lower the batch size.",
        )


def _without_gpu(
    experiment: Experiment, section: PyTorchFields, facts: HostInfo
) -> Iterator[Finding]:
    """Yield what acts on a GPU alone, where the choice of the device is left open."""
    if facts.gpus or section.device is not None:
        return
    for name in OF_CUDA:
        if acts(experiment, f"pytorch.{name}"):
            yield Finding(
                code="dormant-setting",
                message="it changes nothing here: the model will run on the CPU.",
                severity="warning",
                path=f"pytorch.{name}",
                hint="Remove it.",
            )
    if (section.cache_implementation or "").startswith("offloaded"):
        yield Finding(
            code="no-cuda-device",
            message="an offloaded cache needs a GPU to be moved away from.",
            path="pytorch.cache_implementation",
            hint="Use dynamic or static.",
        )


def _processes(section: PyTorchFields) -> Iterator[Finding]:
    distributed = section.distributed
    if distributed is not None and distributed.processes > 1:
        yield Finding(
            code="one-process",
            message=f"this takes {distributed.processes} processes, and llem's worker is one.",
            path="pytorch.distributed",
            hint="Use pytorch.device_map, which spreads a model from within one process.",
        )


def _capability(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
