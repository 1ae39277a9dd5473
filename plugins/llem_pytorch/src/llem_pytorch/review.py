"""Judge an experiment against this machine, before anything is started."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path

from llem.api import Experiment, Finding
from llem.api.capability import HostInfo
from llem.schema.fields import acts
from llem.version import installed_versions
from llem_pytorch.config import PyTorchFields
from llem_pytorch.config.cache import CACHE_PACKAGES
from llem_pytorch.config.quantization import METHOD_PACKAGES
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
    yield from _compiler(section)
    yield from _experts(experiment, section)
    yield from _packages(experiment, section)


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


COMPILERS = frozenset(
    {
        "aot_eager", "aot_eager_decomp_partition", "aot_eager_decomp_partition_crossref",
        "aot_eager_decomp_partition_with_mode", "aot_eager_default_partitioner", "aot_ts",
        "cudagraphs", "dynamo_accuracy_minifier_backend", "dynamo_minifier_backend", "eager",
        "eager_debug", "eager_noexcept", "inductor", "invoke_subgraph", "onnxrt", "openxla",
        "openxla_eval", "pre_dispatch_eager", "tensorrt", "torch_tensorrt", "ts", "tvm",
    }
)  # fmt: skip
"""What `torch.compile` knows by itself or once a package of that name is imported."""


def _compiler(section: PyTorchFields) -> Iterator[Finding]:
    name = section.torch_compile_backend
    if not section.torch_compile or name is None or name in COMPILERS:
        return
    # A package can offer a compiler, which torch finds by this entry point.
    offered = {point.name for point in entry_points(group="torch_dynamo_backends")}
    if name not in offered:
        near = get_close_matches(name, [*COMPILERS, *offered], n=1)
        known = ", ".join(sorted(COMPILERS | offered))
        yield Finding(
            code="compiler-unknown",
            message=f"torch.compile has no backend {name}.",
            path="pytorch.torch_compile_backend",
            hint=f"Did you mean {near[0]}?" if near else f"Known: {known}.",
        )


def _experts(experiment: Experiment, section: PyTorchFields) -> Iterator[Finding]:
    config = _model_config(experiment)
    if section.experts_implementation is None or config is None or "experts" in config:
        return
    yield Finding(
        code="dormant-setting",
        message="it changes nothing: the model has no mixture of experts.",
        severity="warning",
        path="pytorch.experts_implementation",
        hint="Remove it.",
    )


def _model_config(experiment: Experiment) -> str | None:
    """Return the text of the model's `config.json`; ``None`` for a model of the hub."""
    if experiment.model.is_shape:
        return "{}"  # shapes are dense and not quantized
    try:
        return Path(experiment.model.id, "config.json").expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError):
        return None


def _packages(experiment: Experiment, section: PyTorchFields) -> Iterator[Finding]:
    """Yield an error for each missing package that no field names: those of defaults and files."""
    if experiment.runner.python is not None or not installed_versions(["torch"]):
        return  # the engine is elsewhere, and so are the packages that it works with
    needed: dict[str, tuple[str, ...]] = {}
    cache = section.cache_config.backend if section.cache_config is not None else None
    if section.cache_implementation == "quantized" and cache in (None, "quanto"):
        needed["pytorch.cache_implementation"] = CACHE_PACKAGES["quanto"]
    if section.quantization is None and not experiment.model.random_weights:
        method = _quantized_with(_model_config(experiment))
        needed["model.id"] = METHOD_PACKAGES.get(method, ())
    for path, names in needed.items():
        there = installed_versions(names)
        if missing := [name for name in names if name not in there]:
            yield Finding(
                code="package-missing",
                message=f"it needs {' and '.join(missing)}, and not all of that is installed here.",
                path=path,
                hint=f"pip install {' '.join(missing)}.",
            )


def _quantized_with(config: str | None) -> str:
    """Return the method that a checkpoint says it is quantized with, or an empty text."""
    try:
        found = json.loads(config or "{}")["quantization_config"]["quant_method"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""
    return str(found)


def _capability(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
