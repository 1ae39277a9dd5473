"""Needs and limits of speculative decoding."""

from __future__ import annotations

from collections.abc import Callable

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_vllm.config import VLLMFields
from llem_vllm.config.speculation import Speculation

LOOKUP_METHODS = ("ngram", "ngram_gpu")
"""Methods without a draft model, which could name the number of tokens to draft."""

SYNCHRONOUS_METHODS = ("ngram", "suffix", "medusa", "mlp_speculator", "custom_class")
"""Methods whose drafts vLLM must know before it schedules the next step."""


def _where_it_speculates(
    check: Callable[[Speculation, VLLMFields], bool],
) -> Callable[[Experiment, VLLMFields], bool]:
    """Return the condition of a rule: an experiment speculates, and ``check`` holds."""

    def violated(experiment: Experiment, section: VLLMFields) -> bool:
        speculation = section.speculative_config
        return speculation is not None and section.speculates and check(speculation, section)

    return violated


def _neither_method_nor_model(experiment: Experiment, section: VLLMFields) -> bool:
    return acts(experiment, "vllm.speculative_config") and not section.speculates


def _min_p(experiment: Experiment, section: VLLMFields) -> bool:
    return section.speculates and bool(experiment.decoder.min_p)


@_where_it_speculates
def _lookup_without_length(speculation: Speculation, section: VLLMFields) -> bool:
    return speculation.method in LOOKUP_METHODS and speculation.num_speculative_tokens is None


@_where_it_speculates
def _asynchronous_lookup(speculation: Speculation, section: VLLMFields) -> bool:
    return section.async_scheduling is True and speculation.method in SYNCHRONOUS_METHODS


@_where_it_speculates
def _asynchronous_ragged_drafts(speculation: Speculation, section: VLLMFields) -> bool:
    return section.async_scheduling is True and speculation.disable_padded_drafter_batch is True


@_where_it_speculates
def _remembered_answers(speculation: Speculation, section: VLLMFields) -> bool:
    remembers = speculation.suffix_decoding_max_cached_requests != 0
    return speculation.method == "suffix" and remembers


@_where_it_speculates
def _uneven_draft_split(speculation: Speculation, section: VLLMFields) -> bool:
    draft = speculation.draft_tensor_parallel_size
    return draft not in (None, 1, section.tensor_parallel_size or 1)


@_where_it_speculates
def _synthetic_without_rate(speculation: Speculation, section: VLLMFields) -> bool:
    return (
        speculation.rejection_sample_method == "synthetic"
        and speculation.synthetic_acceptance_rates is None
        and speculation.synthetic_acceptance_length is None
    )


SPECULATION_RULES: tuple[Rule[VLLMFields], ...] = (
    Rule(
        name="vllm-speculation-needs-a-method",
        fields=("vllm.speculative_config.method", "vllm.speculative_config.model"),
        reason="no field names a source of draft tokens",
        hint="Set one of them, or remove vllm.speculative_config.",
        violated=_neither_method_nor_model,
    ),
    Rule(
        name="vllm-lookup-needs-a-length",
        fields=(
            "vllm.speculative_config.num_speculative_tokens",
            "vllm.speculative_config.method",
        ),
        reason="the method has no draft model, which could name the number of tokens to draft",
        hint="Set vllm.speculative_config.num_speculative_tokens.",
        violated=_lookup_without_length,
    ),
    Rule.at_most(
        "vllm.speculative_config.prompt_lookup_min",
        "vllm.speculative_config.prompt_lookup_max",
        name="vllm-prompt-lookup-bounds",
        reason="the shortest run of tokens is longer than the longest",
    ),
    Rule(
        name="vllm-lookup-is-synchronous",
        fields=("vllm.async_scheduling", "vllm.speculative_config.method"),
        reason="the method drafts from the tokens of the previous step",
        hint="Remove vllm.async_scheduling.",
        violated=_asynchronous_lookup,
    ),
    Rule(
        name="vllm-ragged-drafts-are-synchronous",
        fields=("vllm.async_scheduling", "vllm.speculative_config.disable_padded_drafter_batch"),
        reason="vLLM cannot schedule drafts of different lengths ahead",
        hint="Remove one of the two.",
        violated=_asynchronous_ragged_drafts,
        excludes=("vllm.speculative_config.disable_padded_drafter_batch",),
    ),
    Rule(
        name="vllm-suffixes-are-forgotten",
        fields=(
            "vllm.speculative_config.suffix_decoding_max_cached_requests",
            "vllm.speculative_config.method",
        ),
        reason="suffix decoding remembers answers, and those of an earlier repetition make drafts "
        "that are always right",
        hint="Set vllm.speculative_config.suffix_decoding_max_cached_requests: 0.",
        violated=_remembered_answers,
    ),
    Rule(
        name="vllm-speculation-has-no-min-p",
        fields=("decoder.min_p", "vllm.speculative_config.method"),
        reason="vLLM verifies drafted tokens without it",
        hint="Remove decoder.min_p or vllm.speculative_config.",
        violated=_min_p,
        excludes=("vllm.speculative_config.method", "vllm.speculative_config.model"),
    ),
    Rule(
        name="vllm-draft-is-split-like-the-model",
        fields=(
            "vllm.speculative_config.draft_tensor_parallel_size",
            "vllm.tensor_parallel_size",
        ),
        reason="a draft model runs on one device, or on all devices of the group",
        hint="Use 1 or vllm.tensor_parallel_size.",
        violated=_uneven_draft_split,
    ),
    Rule(
        name="vllm-synthetic-acceptance-needs-a-rate",
        fields=(
            "vllm.speculative_config.rejection_sample_method",
            "vllm.speculative_config.synthetic_acceptance_rates",
            "vllm.speculative_config.synthetic_acceptance_length",
        ),
        reason="no field sets the number of tokens to accept",
        hint="Set one of the two.",
        violated=_synthetic_without_rate,
    ),
)
"""Rules of speculative decoding."""
