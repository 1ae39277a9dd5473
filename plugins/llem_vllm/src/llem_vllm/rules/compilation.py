"""Settings of compiler and graphs that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule

if TYPE_CHECKING:
    from llem_vllm.config import VLLMConfig


def _eager_and_compiled(experiment: Experiment, section: VLLMConfig) -> bool:
    settings = section.compilation_config
    chosen = (settings.mode, settings.cudagraph_mode) if settings else ()
    graphs = section.cudagraph_capture_sizes or section.max_cudagraph_capture_size
    asked = any(value not in (None, "NONE") for value in chosen) or bool(graphs)
    return section.enforce_eager is True and asked


def _two_base_modes(experiment: Experiment, section: VLLMConfig) -> bool:
    settings = section.compilation_config
    custom_ops = (settings.custom_ops if settings else None) or ()
    return len({"all", "none"} & set(custom_ops)) > 1


def _two_greatest_sizes(experiment: Experiment, section: VLLMConfig) -> bool:
    sizes, greatest = section.cudagraph_capture_sizes, section.max_cudagraph_capture_size
    return bool(sizes) and greatest is not None and max(sizes or (0,)) != greatest


COMPILATION_RULES = (
    Rule(
        name="vllm-eager-is-not-compiled",
        fields=(
            "vllm.enforce_eager",
            "vllm.compilation_config.mode",
            "vllm.compilation_config.cudagraph_mode",
            "vllm.cudagraph_capture_sizes",
            "vllm.max_cudagraph_capture_size",
        ),
        reason="enforce_eager switches compilation and graphs off, and vLLM would not say so",
        hint="Remove vllm.enforce_eager, or what it overrides.",
        violated=_eager_and_compiled,
    ),
    Rule(
        name="vllm-custom-ops-start-from-one-base",
        fields=("vllm.compilation_config.custom_ops",),
        reason="all and none are two bases, and there is one",
        hint="Keep one of them.",
        violated=_two_base_modes,
    ),
    Rule(
        name="vllm-greatest-graph-is-one-of-them",
        fields=("vllm.max_cudagraph_capture_size", "vllm.cudagraph_capture_sizes"),
        reason="it has to be the greatest of the sizes given",
        hint="Keep one of the two.",
        violated=_two_greatest_sizes,
    ),
)
"""Rules of compilation and graphs."""
