"""Combinations the backend refuses, each with its reason and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from llem.api.config import Experiment, Rule

if TYPE_CHECKING:
    from llem_trt.config import TrtConfig


def section_of(experiment: Experiment) -> TrtConfig:
    """Return the experiment's section of this backend."""
    return cast("TrtConfig", experiment.section)


def _sampling_without_settings(experiment: Experiment) -> bool:
    decoder = experiment.decoder
    return decoder.samples is True and not any(
        getattr(decoder, name) for name in ("temperature", "top_p", "top_k")
    )


RULES = (
    Rule(
        name="trt-reads-no-gguf",
        fields=("model.gguf_file",),
        reason="TensorRT-LLM has no loader for GGUF files",
        remedy="Use the original checkpoint.",
        violated=lambda experiment: experiment.model.gguf_file is not None,
    ),
    Rule(
        name="trt-sampling-needs-settings",
        fields=("decoder.do_sample", "decoder.temperature", "decoder.top_p", "decoder.top_k"),
        reason="TensorRT-LLM decodes greedily unless one of temperature, top_p and top_k is set",
        remedy="Set decoder.temperature above 0.",
        violated=_sampling_without_settings,
    ),
)
"""Every rule of the backend."""
