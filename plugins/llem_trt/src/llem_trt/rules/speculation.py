"""Needs and limits of speculative decoding."""

from __future__ import annotations

from collections.abc import Callable

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_trt.config import TrtFields
from llem_trt.config.methods import COUNTED_METHODS, DRAFT_MODEL_METHODS, LEGACY_METHODS
from llem_trt.config.speculation import Speculation


def _where_it_speculates(
    check: Callable[[Speculation, TrtFields], bool],
) -> Callable[[Experiment, TrtFields], bool]:
    """Return the condition of a rule: an experiment speculates, and ``check`` holds."""

    def violated(experiment: Experiment, section: TrtFields) -> bool:
        speculation = section.speculation
        return speculation is not None and section.speculates and check(speculation, section)

    return violated


def _no_method(experiment: Experiment, section: TrtFields) -> bool:
    return acts(experiment, "trt.speculation") and not section.speculates


@_where_it_speculates
def _method_of_the_other_execution(speculation: Speculation, section: TrtFields) -> bool:
    return (speculation.method in LEGACY_METHODS) != section.is_legacy


@_where_it_speculates
def _draft_without_model(speculation: Speculation, section: TrtFields) -> bool:
    return speculation.method in DRAFT_MODEL_METHODS and speculation.speculative_model is None


@_where_it_speculates
def _draft_without_length(speculation: Speculation, section: TrtFields) -> bool:
    return speculation.method in COUNTED_METHODS and speculation.max_draft_len is None


@_where_it_speculates
def _two_trees(speculation: Speculation, section: TrtFields) -> bool:
    return speculation.eagle_choices is not None and speculation.use_dynamic_tree is True


@_where_it_speculates
def _dynamic_tree_without_size(speculation: Speculation, section: TrtFields) -> bool:
    return speculation.use_dynamic_tree is True and None in (
        speculation.dynamic_tree_max_top_k,
        speculation.max_total_draft_tokens,
    )


@_where_it_speculates
def _tree_size_without_tree(speculation: Speculation, section: TrtFields) -> bool:
    return speculation.use_dynamic_tree is not True and (
        speculation.dynamic_tree_max_top_k is not None
        or speculation.max_total_draft_tokens is not None
    )


@_where_it_speculates
def _schedule_that_does_not_fit(speculation: Speculation, section: TrtFields) -> bool:
    if speculation.draft_len_schedule is None:
        return False
    schedule, longest = speculation.draft_len_schedule, speculation.max_draft_len
    if not schedule or (longest is not None and max(schedule.values()) > longest):
        return True
    begins = longest is None or schedule.get(1) == longest
    return section.planned_surface == "1.2" and not (1 in schedule and begins)


@_where_it_speculates
def _schedule_and_concurrency(speculation: Speculation, section: TrtFields) -> bool:
    return (
        section.planned_surface != "1.2"
        and speculation.draft_len_schedule is not None
        and speculation.max_concurrency is not None
    )


@_where_it_speculates
def _rejection_with_relaxed_acceptance(speculation: Speculation, section: TrtFields) -> bool:
    return (
        speculation.use_rejection_sampling is True
        and speculation.use_relaxed_acceptance_for_thinking is True
    )


@_where_it_speculates
def _threshold_of_greedy_acceptance(speculation: Speculation, section: TrtFields) -> bool:
    return speculation.posterior_threshold is not None and speculation.greedy_sampling is not False


@_where_it_speculates
def _relaxed_settings_without_it(speculation: Speculation, section: TrtFields) -> bool:
    return speculation.use_relaxed_acceptance_for_thinking is not True and (
        acts(speculation, "relaxed_topk") or acts(speculation, "relaxed_delta")
    )


SPECULATION_RULES: tuple[Rule[TrtFields], ...] = (
    Rule(
        name="trt-speculation-needs-a-method",
        fields=("trt.speculation.method",),
        reason="no field names a source of draft tokens",
        hint="Set it, or remove trt.speculation.",
        violated=_no_method,
    ),
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
        reason="the method needs a draft model",
        hint="Set trt.speculation.speculative_model, or use ngram, mtp or auto.",
        violated=_draft_without_model,
    ),
    Rule(
        name="trt-speculation-needs-a-length",
        fields=("trt.speculation.max_draft_len", "trt.speculation.method"),
        reason="the method needs a number of tokens to propose",
        hint="Set trt.speculation.max_draft_len.",
        violated=_draft_without_length,
    ),
    Rule(
        name="trt-one-draft-tree",
        fields=("trt.speculation.eagle_choices", "trt.speculation.use_dynamic_tree"),
        reason="a fixed tree and a growing one exclude each other",
        hint="Keep one of the two.",
        violated=_two_trees,
        excludes=("trt.speculation.use_dynamic_tree",),
    ),
    Rule(
        name="trt-dynamic-tree-needs-a-size",
        fields=(
            "trt.speculation.use_dynamic_tree",
            "trt.speculation.dynamic_tree_max_top_k",
            "trt.speculation.max_total_draft_tokens",
        ),
        reason="a growing tree needs a number of branches and a size",
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
        reason="they act on a growing tree only; the engine sets the size of other trees",
        hint="Set trt.speculation.use_dynamic_tree: true, or remove them.",
        violated=_tree_size_without_tree,
    ),
    Rule(
        name="trt-draft-schedule-fits",
        fields=("trt.speculation.draft_len_schedule", "trt.speculation.max_draft_len"),
        reason="no length may exceed max_draft_len, and in 1.2 batch size 1 must have that length",
        hint="Lower the lengths, and for 1.2 begin with 1: max_draft_len.",
        violated=_schedule_that_does_not_fit,
    ),
    Rule(
        name="trt-draft-schedule-or-concurrency",
        fields=("trt.speculation.draft_len_schedule", "trt.speculation.max_concurrency"),
        reason="from 1.3 on, both set the end of speculation and exclude each other",
        hint="End the schedule with length 0 instead.",
        violated=_schedule_and_concurrency,
        excludes=("trt.speculation.max_concurrency",),
    ),
    Rule(
        name="trt-rejection-or-relaxed-acceptance",
        fields=(
            "trt.speculation.use_rejection_sampling",
            "trt.speculation.use_relaxed_acceptance_for_thinking",
        ),
        reason="rejection sampling is exact, and relaxed acceptance is not",
        hint="Keep one of the two.",
        violated=_rejection_with_relaxed_acceptance,
        excludes=("trt.speculation.use_relaxed_acceptance_for_thinking",),
    ),
    Rule(
        name="trt-posterior-threshold-needs-typical-acceptance",
        fields=("trt.speculation.posterior_threshold", "trt.speculation.greedy_sampling"),
        reason="it acts only without greedy acceptance",
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
