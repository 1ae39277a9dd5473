"""Settings of compiler and graphs that contradict each other."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem_vllm.config import VLLMFields


def _eager_and_compiled(experiment: Experiment, section: VLLMFields) -> bool:
    settings = section.compilation_config
    modes = (settings.mode, settings.cudagraph_mode) if settings else ()
    graphs = section.cudagraph_capture_sizes or section.max_cudagraph_capture_size
    compiled = any(mode not in (None, "NONE") for mode in modes) or bool(graphs)
    return section.enforce_eager is True and compiled


def _two_base_modes(experiment: Experiment, section: VLLMFields) -> bool:
    settings = section.compilation_config
    custom_ops = (settings.custom_ops if settings else None) or ()
    return len({"all", "none"} & set(custom_ops)) > 1


def _two_greatest_sizes(experiment: Experiment, section: VLLMFields) -> bool:
    sizes, greatest = section.cudagraph_capture_sizes, section.max_cudagraph_capture_size
    return bool(sizes) and greatest is not None and max(sizes or (0,)) != greatest


COMPILATION_RULES: tuple[Rule[VLLMFields], ...] = (
    Rule(
        name="vllm-eager-is-not-compiled",
        fields=(
            "vllm.enforce_eager",
            "vllm.compilation_config.mode",
            "vllm.compilation_config.cudagraph_mode",
            "vllm.cudagraph_capture_sizes",
            "vllm.max_cudagraph_capture_size",
        ),
        reason="enforce_eager silently turns compilation and graphs off",
        hint="Remove vllm.enforce_eager, or the settings that it overrides.",
        violated=_eager_and_compiled,
        excludes=(
            "vllm.compilation_config.mode",
            "vllm.compilation_config.cudagraph_mode",
            "vllm.cudagraph_capture_sizes",
            "vllm.max_cudagraph_capture_size",
        ),
    ),
    Rule(
        name="vllm-custom-ops-start-from-one-base",
        fields=("vllm.compilation_config.custom_ops",),
        reason="all and none exclude each other",
        hint="Keep one of them.",
        violated=_two_base_modes,
    ),
    Rule(
        name="vllm-greatest-graph-is-one-of-them",
        fields=("vllm.max_cudagraph_capture_size", "vllm.cudagraph_capture_sizes"),
        reason="it differs from the greatest of the sizes",
        hint="Keep one of the two fields.",
        violated=_two_greatest_sizes,
        excludes=("vllm.cudagraph_capture_sizes",),
    ),
)
"""Rules of compilation and graphs."""
