"""Combinations the backend refuses, each with its reason and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from llem.api.config import Experiment, Rule

if TYPE_CHECKING:
    from llem_pytorch.config import PyTorchConfig

SAMPLING_FIELDS = ("top_p", "top_k", "min_p", "typical_p")
"""Decoder fields that act on sampling alone, besides the temperature."""


def section_of(experiment: Experiment) -> PyTorchConfig:
    """Return the experiment's section of this backend."""
    return cast("PyTorchConfig", experiment.section)


def asks_for_flash_attention(experiment: Experiment) -> bool:
    """Whether a flash attention kernel is asked for."""
    return (section_of(experiment).attn_implementation or "").startswith("flash_attention")


def _flash_attention_in_float32(experiment: Experiment) -> bool:
    return asks_for_flash_attention(experiment) and experiment.model.dtype == "float32"


def _flash_attention_on_cpu(experiment: Experiment) -> bool:
    return asks_for_flash_attention(experiment) and section_of(experiment).device == "cpu"


def _device_and_device_map(experiment: Experiment) -> bool:
    section = section_of(experiment)
    return section.device is not None and section.device_map is not None


def _device_map_of_random_weights(experiment: Experiment) -> bool:
    return section_of(experiment).device_map is not None and experiment.model.random_weights


def _sampling_settings_of_an_open_question(experiment: Experiment) -> bool:
    decoder = experiment.decoder
    return decoder.samples is None and any(
        getattr(decoder, name) is not None for name in SAMPLING_FIELDS
    )


RULES = (
    Rule(
        name="flash-attention-needs-half-precision",
        fields=("pytorch.attn_implementation", "model.dtype"),
        reason="flash attention kernels exist for float16 and bfloat16 only",
        remedy="Set model.dtype to bfloat16 or float16, or pytorch.attn_implementation to sdpa.",
        violated=_flash_attention_in_float32,
    ),
    Rule(
        name="flash-attention-needs-cuda",
        fields=("pytorch.attn_implementation", "pytorch.device"),
        reason="flash attention kernels run on CUDA devices only",
        remedy="Set pytorch.attn_implementation to sdpa, or pytorch.device to cuda.",
        violated=_flash_attention_on_cpu,
    ),
    Rule(
        name="device-or-device-map",
        fields=("pytorch.device_map", "pytorch.device"),
        reason="both say where the model goes",
        remedy="Keep one of the two.",
        violated=_device_and_device_map,
    ),
    Rule(
        name="device-map-needs-pretrained-weights",
        fields=("pytorch.device_map", "model.weights"),
        reason="transformers places modules while it reads weights, and random ones are not read",
        remedy="Use pytorch.device, or a model with pretrained weights.",
        violated=_device_map_of_random_weights,
    ),
    Rule(
        name="sampling-settings-need-sampling",
        fields=("decoder.do_sample", *(f"decoder.{name}" for name in SAMPLING_FIELDS)),
        reason="they may be ignored: without do_sample or temperature, the model decides to sample",
        remedy="Set decoder.do_sample to true.",
        violated=_sampling_settings_of_an_open_question,
    ),
)
"""Every rule of the backend."""
