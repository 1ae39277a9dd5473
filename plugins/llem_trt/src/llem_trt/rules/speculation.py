"""Speculative decoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule
from llem_trt.config.methods import COUNTED_METHODS, DRAFT_MODEL_METHODS, LEGACY_METHODS
from llem_trt.config.speculation import Speculation
from llem_trt.section import is_legacy, surface_in_use

if TYPE_CHECKING:
    from llem_trt.config.trt import TrtConfig


def _where_it_speculates(
    check: Callable[[Speculation, Experiment], bool],
) -> Callable[[Experiment, TrtConfig], bool]:
    """Return whether an experiment breaks a rule that ``check`` knows of its speculation."""

    def violated(experiment: Experiment, section: TrtConfig) -> bool:
        speculation = section.speculation
        return speculation is not None and check(speculation, experiment)

    return violated


@_where_it_speculates
def _method_of_the_other_execution(speculation: Speculation, experiment: Experiment) -> bool:
    return (speculation.method in LEGACY_METHODS) != is_legacy(experiment)


@_where_it_speculates
def _draft_without_model(speculation: Speculation, _: Experiment) -> bool:
    return speculation.method in DRAFT_MODEL_METHODS and speculation.speculative_model is None


@_where_it_speculates
def _draft_without_length(speculation: Speculation, _: Experiment) -> bool:
    return speculation.method in COUNTED_METHODS and speculation.max_draft_len is None


@_where_it_speculates
def _two_trees(speculation: Speculation, _: Experiment) -> bool:
    return speculation.eagle_choices is not None and speculation.use_dynamic_tree is True


@_where_it_speculates
def _dynamic_tree_without_size(speculation: Speculation, _: Experiment) -> bool:
    return speculation.use_dynamic_tree is True and None in (
        speculation.dynamic_tree_max_top_k,
        speculation.max_total_draft_tokens,
    )


@_where_it_speculates
def _tree_size_without_tree(speculation: Speculation, _: Experiment) -> bool:
    return speculation.use_dynamic_tree is not True and (
        speculation.dynamic_tree_max_top_k is not None
        or speculation.max_total_draft_tokens is not None
    )


@_where_it_speculates
def _schedule_that_does_not_fit(speculation: Speculation, experiment: Experiment) -> bool:
    if speculation.draft_len_schedule is None:
        return False
    schedule, longest = speculation.draft_len_schedule, speculation.max_draft_len
    if not schedule or (longest is not None and max(schedule.values()) > longest):
        return True
    begins = longest is None or schedule.get(1) == longest
    return surface_in_use(experiment) == "1.2" and not (1 in schedule and begins)


@_where_it_speculates
def _schedule_and_concurrency(speculation: Speculation, experiment: Experiment) -> bool:
    return (
        surface_in_use(experiment) != "1.2"
        and speculation.draft_len_schedule is not None
        and speculation.max_concurrency is not None
    )


@_where_it_speculates
def _rejection_with_relaxed_acceptance(speculation: Speculation, _: Experiment) -> bool:
    return (
        speculation.use_rejection_sampling is True
        and speculation.use_relaxed_acceptance_for_thinking is True
    )


@_where_it_speculates
def _threshold_of_greedy_acceptance(speculation: Speculation, _: Experiment) -> bool:
    return speculation.posterior_threshold is not None and speculation.greedy_sampling is not False


@_where_it_speculates
def _relaxed_settings_without_it(speculation: Speculation, _: Experiment) -> bool:
    return speculation.use_relaxed_acceptance_for_thinking is not True and (
        speculation.relaxed_topk is not None or speculation.relaxed_delta is not None
    )


SPECULATION_RULES = (
    Rule(
        name="trt-speculation-fits-the-execution",
        fields=("trt.speculation.method", "trt.execution"),
        reason="eagle, medusa and lookahead belong to the TensorRT execution, all others to "
        "PyTorch's",
        hint="Choose a method of the execution that is used; eagle3 is EAGLE on PyTorch.",
        violated=_method_of_the_other_execution,
    ),
    Rule(
        name="trt-speculation-needs-a-draft",
        fields=("trt.speculation.speculative_model", "trt.speculation.method"),
        reason="the method has a draft model, and none is named",
        hint="Set trt.speculation.speculative_model, or use ngram, mtp or auto.",
        violated=_draft_without_model,
    ),
    Rule(
        name="trt-speculation-needs-a-length",
        fields=("trt.speculation.max_draft_len", "trt.speculation.method"),
        reason="the method must be told how many tokens to propose",
        hint="Set trt.speculation.max_draft_len.",
        violated=_draft_without_length,
    ),
    Rule(
        name="trt-one-draft-tree",
        fields=("trt.speculation.eagle_choices", "trt.speculation.use_dynamic_tree"),
        reason="a fixed tree and a growing one exclude each other",
        hint="Keep one of the two.",
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
        hint="Set both dynamic_tree_max_top_k and max_total_draft_tokens.",
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
        hint="Set trt.speculation.use_dynamic_tree: true, or remove them.",
        violated=_tree_size_without_tree,
    ),
    Rule(
        name="trt-draft-schedule-fits",
        fields=("trt.speculation.draft_len_schedule", "trt.speculation.max_draft_len"),
        reason="no length may exceed max_draft_len, and in 1.2 batch size 1 must be there and "
        "have it",
        hint="Lower the lengths, and for 1.2 begin with 1: max_draft_len.",
        violated=_schedule_that_does_not_fit,
    ),
    Rule(
        name="trt-draft-schedule-or-concurrency",
        fields=("trt.speculation.draft_len_schedule", "trt.speculation.max_concurrency"),
        reason="from 1.3 on both say when speculation ends, and exclude each other",
        hint="End the schedule with length 0 instead.",
        violated=_schedule_and_concurrency,
    ),
    Rule(
        name="trt-rejection-or-relaxed-acceptance",
        fields=(
            "trt.speculation.use_rejection_sampling",
            "trt.speculation.use_relaxed_acceptance_for_thinking",
        ),
        reason="one samples exactly and the other does not",
        hint="Keep one of the two.",
        violated=_rejection_with_relaxed_acceptance,
    ),
    Rule(
        name="trt-posterior-threshold-needs-typical-acceptance",
        fields=("trt.speculation.posterior_threshold", "trt.speculation.greedy_sampling"),
        reason="it acts only where drafts are not accepted greedily",
        hint="Set trt.speculation.greedy_sampling: false, or remove it.",
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
        hint="Set trt.speculation.use_relaxed_acceptance_for_thinking: true, or remove them.",
        violated=_relaxed_settings_without_it,
    ),
)
"""Rules about speculation."""
