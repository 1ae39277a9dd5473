"""What speculative decoding needs, and what it cannot be combined with."""

from __future__ import annotations

from llem.api.config import Experiment, Rule
from llem_vllm.rules.bounds import at_most
from llem_vllm.rules.section import section_of

LOOKUP_METHODS = ("ngram", "ngram_gpu")
"""Methods that look tokens up instead of asking a model, so none can say how many to draft."""

SYNCHRONOUS_METHODS = ("ngram", "suffix", "medusa", "mlp_speculator", "custom_class")
"""Methods whose drafts must be known before the next step is scheduled."""


def _method(experiment: Experiment) -> str | None:
    speculation = section_of(experiment).speculative_config
    return speculation.method if speculation else None


def _neither_method_nor_model(experiment: Experiment) -> bool:
    speculation = section_of(experiment).speculative_config
    return speculation is not None and speculation.method is None and speculation.model is None


def _lookup_without_length(experiment: Experiment) -> bool:
    speculation = section_of(experiment).speculative_config
    return (
        speculation is not None
        and speculation.method in LOOKUP_METHODS
        and speculation.num_speculative_tokens is None
    )


def _asynchronous_lookup(experiment: Experiment) -> bool:
    asked = section_of(experiment).async_scheduling is True
    return asked and _method(experiment) in SYNCHRONOUS_METHODS


def _asynchronous_ragged_drafts(experiment: Experiment) -> bool:
    speculation = section_of(experiment).speculative_config
    ragged = speculation is not None and speculation.disable_padded_drafter_batch is True
    return ragged and section_of(experiment).async_scheduling is True


def _remembered_answers(experiment: Experiment) -> bool:
    speculation = section_of(experiment).speculative_config
    return (
        speculation is not None
        and speculation.method == "suffix"
        and speculation.suffix_decoding_max_cached_requests != 0
    )


def _min_p(experiment: Experiment) -> bool:
    speculates = section_of(experiment).speculative_config is not None
    return speculates and experiment.decoder.min_p is not None


def _odd_draft_split(experiment: Experiment) -> bool:
    section = section_of(experiment)
    draft = section.speculative_config and section.speculative_config.draft_tensor_parallel_size
    return draft is not None and draft not in (1, section.tensor_parallel_size or 1)


def _synthetic_without_rate(experiment: Experiment) -> bool:
    speculation = section_of(experiment).speculative_config
    return (
        speculation is not None
        and speculation.rejection_sample_method == "synthetic"
        and speculation.synthetic_acceptance_rates is None
        and speculation.synthetic_acceptance_length is None
    )


SPECULATION_RULES = (
    Rule(
        name="vllm-speculation-needs-a-method",
        fields=("vllm.speculative_config.method", "vllm.speculative_config.model"),
        reason="neither says what drafts the tokens",
        remedy="Set one of them, or remove vllm.speculative_config.",
        violated=_neither_method_nor_model,
    ),
    Rule(
        name="vllm-lookup-needs-a-length",
        fields=(
            "vllm.speculative_config.num_speculative_tokens",
            "vllm.speculative_config.method",
        ),
        reason="with this method there is no draft model that could say how many",
        remedy="Set vllm.speculative_config.num_speculative_tokens.",
        violated=_lookup_without_length,
    ),
    at_most(
        "vllm.speculative_config.prompt_lookup_min",
        "vllm.speculative_config.prompt_lookup_max",
        name="vllm-prompt-lookup-bounds",
        reason="the shortest run of tokens is longer than the longest",
    ),
    Rule(
        name="vllm-lookup-is-synchronous",
        fields=("vllm.async_scheduling", "vllm.speculative_config.method"),
        reason="this method needs the tokens of a step before it can draft for the next one",
        remedy="Remove vllm.async_scheduling.",
        violated=_asynchronous_lookup,
    ),
    Rule(
        name="vllm-ragged-drafts-are-synchronous",
        fields=("vllm.async_scheduling", "vllm.speculative_config.disable_padded_drafter_batch"),
        reason="drafts of different lengths cannot be scheduled ahead",
        remedy="Remove one of the two.",
        violated=_asynchronous_ragged_drafts,
    ),
    Rule(
        name="vllm-suffixes-are-forgotten",
        fields=(
            "vllm.speculative_config.suffix_decoding_max_cached_requests",
            "vllm.speculative_config.method",
        ),
        reason="suffix decoding remembers answers, and those of an earlier repetition would be "
        "drafts that are always right",
        remedy="Set vllm.speculative_config.suffix_decoding_max_cached_requests: 0.",
        violated=_remembered_answers,
    ),
    Rule(
        name="vllm-speculation-has-no-min-p",
        fields=("decoder.min_p", "vllm.speculative_config.method"),
        reason="drafted tokens are verified without it",
        remedy="Remove decoder.min_p or vllm.speculative_config.",
        violated=_min_p,
    ),
    Rule(
        name="vllm-draft-is-split-like-the-model",
        fields=(
            "vllm.speculative_config.draft_tensor_parallel_size",
            "vllm.tensor_parallel_size",
        ),
        reason="a draft model runs on one device or on all of the group",
        remedy="Use 1 or vllm.tensor_parallel_size.",
        violated=_odd_draft_split,
    ),
    Rule(
        name="vllm-synthetic-acceptance-needs-a-rate",
        fields=(
            "vllm.speculative_config.rejection_sample_method",
            "vllm.speculative_config.synthetic_acceptance_rates",
            "vllm.speculative_config.synthetic_acceptance_length",
        ),
        reason="nothing says how many tokens to accept",
        remedy="Set one of the two.",
        violated=_synthetic_without_rate,
    ),
)
"""Rules of speculative decoding."""
