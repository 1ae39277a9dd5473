"""Judge an experiment against this machine, before anything is started."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path

from llem.api import Experiment, Finding
from llem.api.capability import HostInfo
from llem.errors import counted
from llem.schema.fields import acts
from llem.version import installed_versions
from llem_pytorch.config import PyTorchFields
from llem_pytorch.config.quantization import METHOD_PACKAGES
from llem_pytorch.rules.devices import OF_CUDA


def review(experiment: Experiment, facts: HostInfo) -> Iterator[Finding]:
    """Yield what speaks against running ``experiment`` on the machine of ``facts``."""
    section = experiment.section_as(PyTorchFields)
    yield from _dtype(experiment, section, facts)
    yield from _batch(experiment, section)
    yield from _without_gpu(experiment, section, facts)
    yield from _processes(section)
    yield from _compiler(section)
    yield from _experts(experiment, section)
    yield from _composite(experiment)
    yield from _packages(experiment, section)


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


def _batch(experiment: Experiment, section: PyTorchFields) -> Iterator[Finding]:
    size, requests = section.batch_size, experiment.workload.requests
    if size is not None and requests is not None and size > requests:
        yield Finding(
            code="batch-larger-than-workload",
            message=f"a batch of {size} cannot be filled by {counted(requests, 'request')}.",
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


COMPOSITES = frozenset(
    """
    blt dbrx dots3_note emu3 fuyu gemma3 gemma3n gemma4 gemma4_assistant gemma4_unified
    gemma4_unified_assistant git got_ocr2 llama4 mllama moshi moss_transcribe_diarize mpt musicgen
    musicgen_melody phi4_multimodal qwen3_5 qwen3_5_moe qwen4_exp
    """.split()  # noqa: SIM905 - a list of them would take a line each
)
"""Models with a config of several parts whose text part ``AutoModelForCausalLM`` loads."""

_PARTS = ("text_config", "vision_config", "audio_config", "thinker_config", "llm_config")


def _composite(experiment: Experiment) -> Iterator[Finding]:
    """Yield an error for a model of text and images that loads by another class alone."""
    try:
        config = json.loads(_model_config(experiment) or "{}")
    except (ValueError, RecursionError):
        return  # the engine reports it better
    if not isinstance(config, dict) or experiment.model.trust_remote_code:
        return
    kind = config.get("model_type")
    joined = any(isinstance(config.get(part), dict) for part in _PARTS)
    if isinstance(kind, str) and kind not in COMPOSITES and joined:
        yield Finding(
            code="not-a-causal-lm",
            message=f"a model of type {kind} joins text with images or sound, and "
            "AutoModelForCausalLM of transformers has no class for it.",
            path="model.id",
            hint="Measure its text model: name a folder with the config and weights of that part.",
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
    """Yield an error for a missing package that a checkpoint asks for."""
    if section.quantization is not None or experiment.model.random_weights:
        return
    names = METHOD_PACKAGES.get(_quantized_with(_model_config(experiment)), ())
    if experiment.runner.python is not None or not names or not installed_versions(["torch"]):
        return  # the engine is elsewhere, and so are the packages that it works with
    there = installed_versions(names)
    if missing := [name for name in names if name not in there]:
        yield Finding(
            code="package-missing",
            message=f"it needs {' and '.join(missing)}, and not all of that is installed here.",
            path="model.id",
            hint=f"pip install {' '.join(missing)}.",
        )


def _quantized_with(config: str | None) -> str:
    """Return the method that a checkpoint says it is quantized with, or an empty text."""
    try:
        found = json.loads(config or "{}")["quantization_config"]["quant_method"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""
    return str(found)
