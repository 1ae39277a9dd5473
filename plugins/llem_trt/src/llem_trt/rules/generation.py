"""Sampling, beam search and guided decoding."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_trt.config import TrtFields


def _beams_wider_than_allowed(experiment: Experiment, section: TrtFields) -> bool:
    return (section.beam_width or 1) > (section.max_beam_width or 1)


def _beams_while_overlapping(experiment: Experiment, section: TrtFields) -> bool:
    return (
        section.beam_width is not None
        and section.planned_surface == "1.2"
        and section.disable_overlap_scheduler is not True
    )


def _beams_of_drafts(experiment: Experiment, section: TrtFields) -> bool:
    return section.beam_width is not None and section.speculates


def _not_one_guide(experiment: Experiment, section: TrtFields) -> bool:
    if not acts(experiment, "trt.sampling.guided_decoding"):
        return False
    guide = section.sampling.guided_decoding if section.sampling is not None else None
    return guide is not None and not any(acts(guide, name) for name in type(guide).model_fields)


GENERATION_RULES: tuple[Rule[TrtFields], ...] = (
    Rule(
        name="trt-beams-fit",
        fields=("trt.sampling.beam_width", "trt.max_beam_width"),
        reason="it exceeds the width that the engine is loaded for, 1 if unset",
        hint="Raise trt.max_beam_width.",
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
        reason="the engine verifies drafts of one sequence, not of beams",
        hint="Keep one of the two.",
        violated=_beams_of_drafts,
        excludes=("trt.speculation.method",),
    ),
    Rule(
        name="trt-one-guide",
        fields=("trt.sampling.guided_decoding",),
        reason="no setting describes the outputs",
        hint="Set one, or remove trt.sampling.guided_decoding.",
        violated=_not_one_guide,
    ),
)
"""Rules about generation."""
