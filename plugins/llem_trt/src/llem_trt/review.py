"""Check an experiment against this machine, before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llem.api import Experiment, Finding
from llem.api.capability import Gpu, HostInfo
from llem_trt.config import TrtFields
from llem_trt.hardware import (
    BEGINS_WITH,
    KV_CACHE_RUNS_ON,
    Architecture,
    algorithm_runs_on,
    architecture_of,
)


def review(experiment: Experiment, facts: HostInfo) -> Iterator[Finding]:
    """Yield findings against running ``experiment`` on the machine of ``facts``."""
    if not facts.gpus:
        yield Finding(
            code="no-nvidia-device",
            message="TensorRT-LLM needs an NVIDIA device, and none is visible",
            severity="warning",
            path="backend",
            hint="Use a machine that has one, or check the driver and CUDA_VISIBLE_DEVICES.",
        )
        return
    section = experiment.section_as(TrtFields)
    gpu = facts.gpus[0]
    yield from _quantization(section, gpu)
    yield from _kv_cache(section, gpu)


def _quantization(section: TrtFields, gpu: Gpu) -> Iterator[Finding]:
    built = section.quantization.quant_algo if section.quantization is not None else None
    for path, algorithm in (
        ("trt.checkpoint_quantization", section.checkpoint_quantization),
        ("trt.quantization.quant_algo", built),
    ):
        if algorithm not in (None, "NO_QUANT"):
            yield from _runs_on(path, algorithm, algorithm_runs_on(algorithm), gpu)


def _kv_cache(section: TrtFields, gpu: Gpu) -> Iterator[Finding]:
    cache = section.kv_cache
    dtype = cache.dtype if cache is not None else None
    if dtype is not None and dtype in KV_CACHE_RUNS_ON:
        yield from _runs_on("trt.kv_cache.dtype", dtype, KV_CACHE_RUNS_ON[dtype], gpu)


def _runs_on(
    path: str, name: str, architectures: Sequence[Architecture], gpu: Gpu
) -> Iterator[Finding]:
    least = min(BEGINS_WITH[architecture] for architecture in architectures)
    capability = gpu.compute_capability
    # The field's marker refuses a device that is too old.
    if capability is None or capability < least:
        return
    found = architecture_of(capability)
    if found in architectures:
        return
    yield Finding(
        code="quantization-not-supported" if found else "architecture-unknown",
        message=f"{name} is documented for {', '.join(architectures)}; {gpu.name} has "
        f"{_capability(capability)}",
        severity="error" if found else "warning",
        path=path,
        hint="Use another device, or a checkpoint with another quantization.",
    )


def _capability(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
