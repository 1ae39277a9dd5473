"""Settings of one kind of device on the other, where they change nothing."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_pytorch.config import PyTorchFields

OF_CUDA = ("allow_tf32", "allow_reduced_precision_reduction", "cudnn_benchmark")
"""Switches that act on CUDA devices alone."""

OF_CPU = ("mkldnn", "flush_denormal")
"""Switches that act on the CPU alone."""


def _elsewhere(name: str, kind: str, other: str) -> Rule[PyTorchFields]:
    """Return the rule that refuses a switch of one device on the other."""

    def violated(experiment: Experiment, section: PyTorchFields) -> bool:
        return acts(experiment, f"pytorch.{name}") and section.device == other

    return Rule(
        name=f"{name.replace('_', '-')}-acts-on-{kind}",
        fields=(f"pytorch.{name}", "pytorch.device"),
        reason=f"it changes nothing on {other}",
        hint=f"Remove pytorch.{name}, or set pytorch.device to {kind}.",
        violated=violated,
    )


def _offloaded_cache_on_cpu(experiment: Experiment, section: PyTorchFields) -> bool:
    offloaded = (section.cache_implementation or "").startswith("offloaded")
    return offloaded and section.device == "cpu"


RULES = (
    *(_elsewhere(name, "cuda", "cpu") for name in OF_CUDA),
    *(_elsewhere(name, "cpu", "cuda") for name in OF_CPU),
    Rule(
        name="offloaded-cache-needs-cuda",
        fields=("pytorch.cache_implementation", "pytorch.device"),
        reason="an offloaded cache moves from the GPU to the host, and there is no GPU in it",
        hint="Set pytorch.cache_implementation to dynamic or static, or pytorch.device to cuda.",
        violated=_offloaded_cache_on_cpu,
    ),
)
"""Rules over devices."""
