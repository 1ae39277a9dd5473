"""What speculative decoding needs, and what it cannot be combined with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule
from llem_vllm.rules.section import section_of

if TYPE_CHECKING:
    from llem_vllm.config import VLLMConfig

if TYPE_CHECKING:
    from llem_vllm.config.speculation import Speculation

LOOKUP_METHODS = ("ngram", "ngram_gpu")
"""Methods that look tokens up instead of asking a model, so none can say how many to draft."""

SYNCHRONOUS_METHODS = ("ngram", "suffix", "medusa", "mlp_speculator", "custom_class")
"""Methods whose drafts must be known before the next step is scheduled."""


def _where_it_speculates(
    check: Callable[[Speculation, Experiment], bool],
) -> Callable[[Experiment, VLLMConfig], bool]:
    """Return whether an experiment breaks a rule that ``check`` knows of its speculation."""

    def violated(experiment: Experiment, section: VLLMConfig) -> bool:
        speculation = section.speculative_config
        return speculation is not None and check(speculation, experiment)

    return violated


@_where_it_speculates
def _neither_method_nor_model(speculation: Speculation, _: Experiment) -> bool:
    return speculation.method is None and speculation.model is None


@_where_it_speculates
def _lookup_without_length(speculation: Speculation, _: Experiment) -> bool:
    return speculation.method in LOOKUP_METHODS and speculation.num_speculative_tokens is None


@_where_it_speculates
def _asynchronous_lookup(speculation: Speculation, experiment: Experiment) -> bool:
    asked = section_of(experiment).async_scheduling is True
    return asked and speculation.method in SYNCHRONOUS_METHODS


@_where_it_speculates
def _asynchronous_ragged_drafts(speculation: Speculation, experiment: Experiment) -> bool:
    ragged = speculation.disable_padded_drafter_batch is True
    return ragged and section_of(experiment).async_scheduling is True


@_where_it_speculates
def _remembered_answers(speculation: Speculation, _: Experiment) -> bool:
    remembers = speculation.suffix_decoding_max_cached_requests != 0
    return speculation.method == "suffix" and remembers


@_where_it_speculates
def _min_p(_: Speculation, experiment: Experiment) -> bool:
    return experiment.decoder.min_p is not None


@_where_it_speculates
def _odd_draft_split(speculation: Speculation, experiment: Experiment) -> bool:
    draft = speculation.draft_tensor_parallel_size
    return draft not in (None, 1, section_of(experiment).tensor_parallel_size or 1)


@_where_it_speculates
def _synthetic_without_rate(speculation: Speculation, _: Experiment) -> bool:
    return (
        speculation.rejection_sample_method == "synthetic"
        and speculation.synthetic_acceptance_rates is None
        and speculation.synthetic_acceptance_length is None
    )


SPECULATION_RULES: tuple[Rule[VLLMConfig], ...] = (
    Rule(
        name="vllm-speculation-needs-a-method",
        fields=("vllm.speculative_config.method", "vllm.speculative_config.model"),
        reason="neither says what drafts the tokens",
        hint="Set one of them, or remove vllm.speculative_config.",
        violated=_neither_method_nor_model,
    ),
    Rule(
        name="vllm-lookup-needs-a-length",
        fields=(
            "vllm.speculative_config.num_speculative_tokens",
            "vllm.speculative_config.method",
        ),
        reason="with this method there is no draft model that could say how many",
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
        reason="this method needs the tokens of a step before it can draft for the next one",
        hint="Remove vllm.async_scheduling.",
        violated=_asynchronous_lookup,
    ),
    Rule(
        name="vllm-ragged-drafts-are-synchronous",
        fields=("vllm.async_scheduling", "vllm.speculative_config.disable_padded_drafter_batch"),
        reason="drafts of different lengths cannot be scheduled ahead",
        hint="Remove one of the two.",
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
        hint="Set vllm.speculative_config.suffix_decoding_max_cached_requests: 0.",
        violated=_remembered_answers,
    ),
    Rule(
        name="vllm-speculation-has-no-min-p",
        fields=("decoder.min_p", "vllm.speculative_config.method"),
        reason="drafted tokens are verified without it",
        hint="Remove decoder.min_p or vllm.speculative_config.",
        violated=_min_p,
    ),
    Rule(
        name="vllm-draft-is-split-like-the-model",
        fields=(
            "vllm.speculative_config.draft_tensor_parallel_size",
            "vllm.tensor_parallel_size",
        ),
        reason="a draft model runs on one device or on all of the group",
        hint="Use 1 or vllm.tensor_parallel_size.",
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
        hint="Set one of the two.",
        violated=_synthetic_without_rate,
    ),
)
"""Rules of speculative decoding."""
