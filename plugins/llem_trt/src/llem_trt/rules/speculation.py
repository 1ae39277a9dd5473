"""Speculative decoding."""

from __future__ import annotations

from llem.api.config import Experiment, Rule
from llem_trt.config.methods import COUNTED_METHODS, DRAFT_MODEL_METHODS, LEGACY_METHODS
from llem_trt.config.speculation import Speculation
from llem_trt.section import is_legacy, section_of, surface_in_use


def _settings(experiment: Experiment) -> Speculation | None:
    return section_of(experiment).speculation


def _method_of_the_other_execution(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return speculation is not None and (
        (speculation.method in LEGACY_METHODS) != is_legacy(experiment)
    )


def _draft_without_model(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return (
        speculation is not None
        and speculation.method in DRAFT_MODEL_METHODS
        and speculation.speculative_model is None
    )


def _draft_without_length(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return (
        speculation is not None
        and speculation.method in COUNTED_METHODS
        and speculation.max_draft_len is None
    )


def _two_trees(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return (
        speculation is not None
        and speculation.eagle_choices is not None
        and speculation.use_dynamic_tree is True
    )


def _dynamic_tree_without_size(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return (
        speculation is not None
        and speculation.use_dynamic_tree is True
        and None in (speculation.dynamic_tree_max_top_k, speculation.max_total_draft_tokens)
    )


def _tree_size_without_tree(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return (
        speculation is not None
        and speculation.use_dynamic_tree is not True
        and (
            speculation.dynamic_tree_max_top_k is not None
            or speculation.max_total_draft_tokens is not None
        )
    )


def _schedule_that_does_not_fit(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    if speculation is None or speculation.draft_len_schedule is None:
        return False
    schedule, longest = speculation.draft_len_schedule, speculation.max_draft_len
    if not schedule or (longest is not None and max(schedule.values()) > longest):
        return True
    begins = longest is None or schedule.get(1) == longest
    return surface_in_use(experiment) == "1.2" and not (1 in schedule and begins)


def _schedule_and_concurrency(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return (
        speculation is not None
        and surface_in_use(experiment) != "1.2"
        and speculation.draft_len_schedule is not None
        and speculation.max_concurrency is not None
    )


def _rejection_with_relaxed_acceptance(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return (
        speculation is not None
        and speculation.use_rejection_sampling is True
        and speculation.use_relaxed_acceptance_for_thinking is True
    )


def _threshold_of_greedy_acceptance(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return (
        speculation is not None
        and speculation.posterior_threshold is not None
        and speculation.greedy_sampling is not False
    )


def _relaxed_settings_without_it(experiment: Experiment) -> bool:
    speculation = _settings(experiment)
    return (
        speculation is not None
        and speculation.use_relaxed_acceptance_for_thinking is not True
        and (speculation.relaxed_topk is not None or speculation.relaxed_delta is not None)
    )


SPECULATION_RULES = (
    Rule(
        name="trt-speculation-fits-the-execution",
        fields=("trt.speculation.method", "trt.execution"),
        reason="eagle, medusa and lookahead belong to the TensorRT execution, all others to "
        "PyTorch's",
        remedy="Choose a method of the execution that is used; eagle3 is EAGLE on PyTorch.",
        violated=_method_of_the_other_execution,
    ),
    Rule(
        name="trt-speculation-needs-a-draft",
        fields=("trt.speculation.speculative_model", "trt.speculation.method"),
        reason="the method has a draft model, and none is named",
        remedy="Set trt.speculation.speculative_model, or use ngram, mtp or auto.",
        violated=_draft_without_model,
    ),
    Rule(
        name="trt-speculation-needs-a-length",
        fields=("trt.speculation.max_draft_len", "trt.speculation.method"),
        reason="the method must be told how many tokens to propose",
        remedy="Set trt.speculation.max_draft_len.",
        violated=_draft_without_length,
    ),
    Rule(
        name="trt-one-draft-tree",
        fields=("trt.speculation.eagle_choices", "trt.speculation.use_dynamic_tree"),
        reason="a fixed tree and a growing one exclude each other",
        remedy="Keep one of the two.",
        violated=_two_trees,
    ),
    Rule(
        name="trt-dynamic-tree-needs-a-size",
        fields=(
            "trt.speculation.use_dynamic_tree",
            "trt.speculation.dynamic_tree_max_top_k",
            "trt.speculation.max_total_draft_tokens",
        ),
        reason="a growing tree must be told its branches and its size",
        remedy="Set both dynamic_tree_max_top_k and max_total_draft_tokens.",
        violated=_dynamic_tree_without_size,
    ),
    Rule(
        name="trt-tree-size-needs-a-dynamic-tree",
        fields=(
            "trt.speculation.max_total_draft_tokens",
            "trt.speculation.dynamic_tree_max_top_k",
            "trt.speculation.use_dynamic_tree",
        ),
        reason="they act on a growing tree only; the engine sets the size of any other itself",
        remedy="Set trt.speculation.use_dynamic_tree: true, or remove them.",
        violated=_tree_size_without_tree,
    ),
    Rule(
        name="trt-draft-schedule-fits",
        fields=("trt.speculation.draft_len_schedule", "trt.speculation.max_draft_len"),
        reason="no length may exceed max_draft_len, and in 1.2 batch size 1 must be there and "
        "have it",
        remedy="Lower the lengths, and for 1.2 begin with 1: max_draft_len.",
        violated=_schedule_that_does_not_fit,
    ),
    Rule(
        name="trt-draft-schedule-or-concurrency",
        fields=("trt.speculation.draft_len_schedule", "trt.speculation.max_concurrency"),
        reason="from 1.3 on both say when speculation ends, and exclude each other",
        remedy="End the schedule with length 0 instead.",
        violated=_schedule_and_concurrency,
    ),
    Rule(
        name="trt-rejection-or-relaxed-acceptance",
        fields=(
            "trt.speculation.use_rejection_sampling",
            "trt.speculation.use_relaxed_acceptance_for_thinking",
        ),
        reason="one samples exactly and the other does not",
        remedy="Keep one of the two.",
        violated=_rejection_with_relaxed_acceptance,
    ),
    Rule(
        name="trt-posterior-threshold-needs-typical-acceptance",
        fields=("trt.speculation.posterior_threshold", "trt.speculation.greedy_sampling"),
        reason="it acts only where drafts are not accepted greedily",
        remedy="Set trt.speculation.greedy_sampling: false, or remove it.",
        violated=_threshold_of_greedy_acceptance,
    ),
    Rule(
        name="trt-relaxed-settings-need-relaxed-acceptance",
        fields=(
            "trt.speculation.relaxed_topk",
            "trt.speculation.relaxed_delta",
            "trt.speculation.use_relaxed_acceptance_for_thinking",
        ),
        reason="they act only with relaxed acceptance",
        remedy="Set trt.speculation.use_relaxed_acceptance_for_thinking: true, or remove them.",
        violated=_relaxed_settings_without_it,
    ),
)
"""Rules about speculation."""
