"""Questions about an experiment that several modules ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from llem.schema.experiment import Experiment

if TYPE_CHECKING:
    from llem_pytorch.config import PyTorchConfig

SAMPLING_FIELDS = ("top_p", "top_k", "min_p", "typical_p")
"""Shared decoder fields that act on sampling alone, besides the temperature."""

OWN_SAMPLING_FIELDS = ("top_h", "epsilon_cutoff", "eta_cutoff")
"""Fields of the backend's own section that do."""

STATIC_CACHES = ("static", "offloaded_static")
"""Caches that are allocated at full length."""


def section_of(experiment: Experiment) -> PyTorchConfig:
    """Return the experiment's section of this backend."""
    return cast("PyTorchConfig", experiment.section)


def asks_for_flash_attention(experiment: Experiment) -> bool:
    """Whether a flash attention kernel is asked for, of the library or of the hub."""
    name = section_of(experiment).attn_implementation or ""
    return name.startswith("flash_attention") or "/flash-attn" in name


def quantises(experiment: Experiment) -> bool:
    """Whether weights are quantised while loading, or loaded quantised by a field."""
    section = section_of(experiment)
    return bool(section.load_in_4bit or section.load_in_8bit or section.quantization)


def has_beams(experiment: Experiment) -> bool:
    """Whether several beams are followed."""
    return (section_of(experiment).num_beams or 1) > 1


def speculates(experiment: Experiment) -> bool:
    """Whether tokens are drafted."""
    section = section_of(experiment)
    return section.prompt_lookup_num_tokens is not None or drafts_with_a_model(experiment)


def drafts_with_a_model(experiment: Experiment) -> bool:
    """Whether a model drafts: an assistant, or part of the model itself."""
    section = section_of(experiment)
    return bool(section.assistant_model or section.assistant_early_exit or section.use_mtp)


def is_continuous(experiment: Experiment) -> bool:
    """Whether requests are batched continuously."""
    return section_of(experiment).batching == "continuous"
