"""Sampling, beams and constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule
from llem_trt.config.sampling import Sampling
from llem_trt.section import section_of, surface_in_use

if TYPE_CHECKING:
    from llem_trt.config.trt import TrtConfig


def _settings(experiment: Experiment) -> Sampling:
    return section_of(experiment).sampling or Sampling()


def _sampling_without_settings(experiment: Experiment, section: TrtConfig) -> bool:
    decoder = experiment.decoder
    return decoder.samples is True and not any(
        getattr(decoder, name) for name in ("temperature", "top_p", "top_k")
    )


def _beams_wider_than_allowed(experiment: Experiment, section: TrtConfig) -> bool:
    width = _settings(experiment).beam_width
    return width is not None and width > (section.max_beam_width or 1)


def _beams_while_overlapping(experiment: Experiment, section: TrtConfig) -> bool:
    return (
        _settings(experiment).beam_width is not None
        and surface_in_use(experiment) == "1.2"
        and section.disable_overlap_scheduler is not True
    )


def _beams_of_drafts(experiment: Experiment, section: TrtConfig) -> bool:
    return _settings(experiment).beam_width is not None and section.speculation is not None


def _guide_without_library(experiment: Experiment, section: TrtConfig) -> bool:
    return (
        _settings(experiment).guided_decoding is not None
        and section.guided_decoding_backend is None
    )


def _not_one_guide(experiment: Experiment, section: TrtConfig) -> bool:
    guide = _settings(experiment).guided_decoding
    return guide is not None and len(guide.model_dump(exclude_none=True)) != 1


GENERATION_RULES = (
    Rule(
        name="trt-sampling-needs-settings",
        fields=("decoder.do_sample", "decoder.temperature", "decoder.top_p", "decoder.top_k"),
        reason="TensorRT-LLM decodes greedily unless one of temperature, top_p and top_k is set",
        hint="Set decoder.temperature above 0.",
        violated=_sampling_without_settings,
    ),
    Rule(
        name="trt-beams-fit",
        fields=("trt.sampling.beam_width", "trt.max_beam_width"),
        reason="it is wider than the engine is loaded for, which is 1 if not set",
        hint="Raise trt.max_beam_width to it.",
        violated=_beams_wider_than_allowed,
    ),
    Rule(
        name="trt-beams-do-not-overlap",
        fields=("trt.sampling.beam_width", "trt.disable_overlap_scheduler"),
        reason="beam search of 1.2 needs each iteration's result before the next one begins",
        hint="Set trt.disable_overlap_scheduler: true.",
        violated=_beams_while_overlapping,
    ),
    Rule(
        name="trt-beams-or-speculation",
        fields=("trt.sampling.beam_width", "trt.speculation"),
        reason="drafts are verified for one sequence, not for beams",
        hint="Keep one of the two.",
        violated=_beams_of_drafts,
    ),
    Rule(
        name="trt-guide-needs-a-library",
        fields=("trt.sampling.guided_decoding", "trt.guided_decoding_backend"),
        reason="no library is chosen that constrains outputs",
        hint="Set trt.guided_decoding_backend to xgrammar or llguidance.",
        violated=_guide_without_library,
    ),
    Rule(
        name="trt-one-guide",
        fields=("trt.sampling.guided_decoding",),
        reason="exactly one of its settings says what outputs look like",
        hint="Keep one of them.",
        violated=_not_one_guide,
    ),
)
"""Rules about generation."""
