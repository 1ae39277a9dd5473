"""What cannot be decoded together, and what would be measured without acting."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_pytorch.config import PyTorchFields

OWN_SAMPLING_FIELDS = ("top_h", "epsilon_cutoff", "eta_cutoff")
"""Fields of the backend's own section that act on sampling alone."""

BEAM_FIELDS = ("early_stopping", "length_penalty")
"""Fields of the backend's own section that act on beams alone."""

UNKNOWN_TO_CONTINUOUS = (
    "min_p",
    "typical_p",
    "repetition_penalty",
    "min_new_tokens",
    "stop",
)
"""Shared decoder fields that continuous batching drops with a warning, or refuses."""


def _own_sampling_fields(name: str) -> Rule[PyTorchFields]:
    """Return the rule that refuses a sampling field of the section without sampling."""

    def violated(experiment: Experiment, section: PyTorchFields) -> bool:
        return acts(experiment, f"pytorch.{name}") and not experiment.decoder.samples

    return Rule(
        name=f"{name.replace('_', '-')}-needs-sampling",
        fields=(f"pytorch.{name}", "decoder.temperature", "decoder.do_sample"),
        reason="transformers ignores it unless it samples",
        hint=f"Set decoder.temperature above 0, or remove pytorch.{name}.",
        violated=violated,
    )


def _beam_field(name: str) -> Rule[PyTorchFields]:
    """Return the rule that refuses a field of beam search without beams."""

    def violated(experiment: Experiment, section: PyTorchFields) -> bool:
        return acts(experiment, f"pytorch.{name}") and not section.has_beams

    return Rule(
        name=f"{name.replace('_', '-')}-needs-beams",
        fields=(f"pytorch.{name}", "pytorch.num_beams"),
        reason="transformers ignores it without beams",
        hint=f"Set pytorch.num_beams above 1, or remove pytorch.{name}.",
        violated=violated,
    )


def _alternatives_of_one(experiment: Experiment, section: PyTorchFields) -> bool:
    several = (section.num_return_sequences or 1) > 1
    return several and not section.has_beams and not experiment.decoder.samples


def _more_than_beams(experiment: Experiment, section: PyTorchFields) -> bool:
    returned = section.num_return_sequences or 1
    return section.has_beams and returned > (section.num_beams or 1)


def _likelier_eos_ignored(experiment: Experiment, section: PyTorchFields) -> bool:
    set_by_hand = section.exponential_decay_length_penalty is not None
    return set_by_hand and experiment.ignores_eos


def _untimed_beams(experiment: Experiment, section: PyTorchFields) -> bool:
    return section.has_beams


def _unknown_to_continuous(name: str) -> Rule[PyTorchFields]:
    """Return the rule that refuses a decoder field that continuous batches do not know."""

    def violated(experiment: Experiment, section: PyTorchFields) -> bool:
        return acts(experiment, f"decoder.{name}") and section.is_continuous

    return Rule(
        name=f"continuous-batching-ignores-{name.replace('_', '-')}",
        fields=(f"decoder.{name}", "pytorch.batching"),
        reason="continuous batching of transformers does not honor it",
        hint=f"Remove decoder.{name}, or set pytorch.batching to static.",
        violated=violated,
    )


def _flex_attention_in_continuous_batches(experiment: Experiment, section: PyTorchFields) -> bool:
    flex = section.attn_implementation == "flex_attention"
    return flex and section.is_continuous


RULES = (
    *map(_own_sampling_fields, OWN_SAMPLING_FIELDS),
    *map(_beam_field, BEAM_FIELDS),
    Rule(
        name="several-sequences-need-sampling-or-beams",
        fields=("pytorch.num_return_sequences", "pytorch.num_beams", "decoder.do_sample"),
        reason="greedy decoding has one result",
        hint="Set decoder.temperature above 0 or pytorch.num_beams above 1, or remove it.",
        violated=_alternatives_of_one,
    ),
    Rule(
        name="sequences-fit-beams",
        fields=("pytorch.num_return_sequences", "pytorch.num_beams"),
        reason="no more sequences can be returned than beams are followed",
        hint="Lower pytorch.num_return_sequences, or raise pytorch.num_beams.",
        violated=_more_than_beams,
    ),
    Rule(
        name="likelier-eos-is-not-ignored",
        fields=("pytorch.exponential_decay_length_penalty", "decoder.ignore_eos"),
        reason="it makes EOS likelier, and here EOS is ignored, as always with synthetic prompts",
        hint="Set decoder.ignore_eos: false, or remove it.",
        violated=_likelier_eos_ignored,
    ),
    Rule(
        name="beams-have-no-token-times",
        fields=("pytorch.num_beams",),
        reason="which beam wins is known at the end only, so per-token latency is unavailable",
        hint="Compare time per request instead.",
        violated=_untimed_beams,
        severity="warning",
    ),
    *map(_unknown_to_continuous, UNKNOWN_TO_CONTINUOUS),
    Rule(
        name="continuous-batching-needs-paged-attention",
        fields=("pytorch.attn_implementation", "pytorch.batching"),
        reason="flex attention cannot read the paged cache of continuous batching",
        hint="Set pytorch.attn_implementation to sdpa, eager or a flash attention.",
        violated=_flex_attention_in_continuous_batches,
    ),
)
"""Rules over decoding."""
