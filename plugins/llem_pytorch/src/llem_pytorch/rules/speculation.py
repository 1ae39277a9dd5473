"""What speculative decoding asks for: one request at a time, and a cache that can be cut back."""

from __future__ import annotations

from collections.abc import Callable

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_pytorch.config import PyTorchFields

STATIC_CACHES = ("static", "offloaded_static")
"""Caches that are allocated at full length."""

DRAFT_SETTINGS = (
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "assistant_confidence_threshold",
)
"""Fields that act on whichever model drafts."""

DRAFTERS = (
    "pytorch.prompt_lookup_num_tokens",
    "pytorch.assistant_model",
    "pytorch.assistant_early_exit",
    "pytorch.use_mtp",
)
"""Fields that make it speculate."""


def _with_drafts(
    condition: Callable[[PyTorchFields], bool],
) -> Callable[[Experiment, PyTorchFields], bool]:
    return lambda experiment, section: section.speculates and condition(section)


def _several_requests(section: PyTorchFields) -> bool:
    return (section.batch_size or 1) > 1


def _static_cache(section: PyTorchFields) -> bool:
    return section.cache_implementation in STATIC_CACHES


def _no_cache(section: PyTorchFields) -> bool:
    return section.use_cache is False


def _beams(section: PyTorchFields) -> bool:
    return section.has_beams


def _several_sequences(section: PyTorchFields) -> bool:
    return (section.num_return_sequences or 1) > 1


def _without_drafter(name: str) -> Rule[PyTorchFields]:
    """Return the rule that refuses a setting of drafts where no model drafts."""

    def violated(experiment: Experiment, section: PyTorchFields) -> bool:
        return acts(experiment, f"pytorch.{name}") and not section.drafts_with_a_model

    return Rule(
        name=f"{name.replace('_', '-')}-needs-a-drafting-model",
        fields=(f"pytorch.{name}", *DRAFTERS[1:]),
        reason="it acts only when a model drafts",
        hint="Set pytorch.assistant_model or pytorch.assistant_early_exit, or remove it.",
        violated=violated,
    )


RULES = (
    Rule(
        name="speculation-takes-one-request",
        fields=("pytorch.batch_size", *DRAFTERS),
        reason="speculative decoding of transformers takes one request at a time",
        hint="Set pytorch.batch_size to 1, or do not speculate.",
        violated=_with_drafts(_several_requests),
        excludes=DRAFTERS,
    ),
    Rule(
        name="speculation-needs-a-growing-cache",
        fields=("pytorch.cache_implementation", *DRAFTERS),
        reason="a static cache cannot be cut back to the tokens that were accepted",
        hint="Set pytorch.cache_implementation to dynamic, or do not speculate.",
        violated=_with_drafts(_static_cache),
    ),
    Rule(
        name="speculation-needs-a-cache",
        fields=("pytorch.use_cache", *DRAFTERS),
        reason="speculative decoding of transformers needs the key-value cache",
        hint="Remove pytorch.use_cache, or do not speculate.",
        violated=_with_drafts(_no_cache),
        excludes=DRAFTERS,
    ),
    Rule(
        name="beams-ignore-speculation",
        fields=("pytorch.num_beams", *DRAFTERS),
        reason="transformers runs beam search and ignores the drafts",
        hint="Set pytorch.num_beams to 1, or do not speculate.",
        violated=_with_drafts(_beams),
        excludes=DRAFTERS,
    ),
    Rule(
        name="speculation-returns-one-sequence",
        fields=("pytorch.num_return_sequences", *DRAFTERS),
        reason="speculative decoding of transformers returns one sequence per request",
        hint="Remove pytorch.num_return_sequences, or do not speculate.",
        violated=_with_drafts(_several_sequences),
        excludes=DRAFTERS,
    ),
    *map(_without_drafter, DRAFT_SETTINGS),
)
"""Rules over speculation."""
