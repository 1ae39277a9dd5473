"""Limits of requests, batches and captured graphs."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem_trt.config import TrtFields

DEFAULT_MAX_NUM_TOKENS = 8192
"""TensorRT-LLM's default limit."""


def _least(length: object) -> int | None:
    """Return the least value of a ``Length``; ``None`` for a distribution without a lower bound."""
    low = getattr(length, "low", length)
    return low if isinstance(low, int) else None


def _prompt_longer_than_an_iteration(experiment: Experiment, section: TrtFields) -> bool:
    prompt = _least(getattr(experiment.workload, "input_tokens", None))
    limit = section.max_num_tokens or DEFAULT_MAX_NUM_TOKENS
    share = section.context_parallel_size or 1
    return not section.enable_chunked_prefill and prompt is not None and prompt / share > limit


def _request_longer_than_a_sequence(experiment: Experiment, section: TrtFields) -> bool:
    limit = section.max_seq_len
    prompt = _least(getattr(experiment.workload, "input_tokens", None))
    output = _least(experiment.workload.output_tokens)
    return (
        limit is not None
        and prompt is not None
        and output is not None
        and (prompt + output > limit)
    )


def _prompt_longer_than_a_prompt(experiment: Experiment, section: TrtFields) -> bool:
    limit = section.max_input_len
    prompt = _least(getattr(experiment.workload, "input_tokens", None))
    return limit is not None and prompt is not None and prompt > limit


def _more_requests_than_tokens(experiment: Experiment, section: TrtFields) -> bool:
    return section.max_batch_size is not None and section.max_batch_size > (
        section.max_num_tokens or DEFAULT_MAX_NUM_TOKENS
    )


def _two_largest_graphs(experiment: Experiment, section: TrtFields) -> bool:
    graphs = section.cuda_graphs
    return (
        graphs is not None
        and graphs.batch_sizes is not None
        and bool(graphs.max_batch_size)
        and graphs.max_batch_size != max(graphs.batch_sizes)
    )


def _graphs_that_are_never_replayed(experiment: Experiment, section: TrtFields) -> bool:
    graphs, limit = section.cuda_graphs, section.max_batch_size
    return (
        graphs is not None
        and limit is not None
        and graphs.batch_sizes is not None
        and min(graphs.batch_sizes) > limit
    )


def _breakable_graphs_of_a_compiled_model(experiment: Experiment, section: TrtFields) -> bool:
    return (
        section.prefill_cuda_graph_backend == "breakable"
        and section.torch_compile is not None
        and section.torch_compile.enabled is not False
    )


def _piecewise_graphs_of_an_uncompiled_model(experiment: Experiment, section: TrtFields) -> bool:
    compiled = section.torch_compile
    return (
        section.prefill_cuda_graph_backend == "piecewise"
        and compiled is not None
        and compiled.enabled is False
    )


LIMIT_RULES: tuple[Rule[TrtFields], ...] = (
    Rule(
        name="trt-unchunked-prompt-fits-an-iteration",
        fields=("trt.max_num_tokens", "workload.input_tokens", "trt.enable_chunked_prefill"),
        reason="without chunked prefill a prompt must fit into an iteration, which has 8192 tokens "
        "if unset",
        hint="Raise trt.max_num_tokens, or set trt.enable_chunked_prefill: true.",
        violated=_prompt_longer_than_an_iteration,
    ),
    Rule(
        name="trt-request-fits-a-sequence",
        fields=("trt.max_seq_len", "workload.input_tokens", "workload.output_tokens"),
        reason="prompt and output together exceed the longest sequence",
        hint="Raise trt.max_seq_len, or shorten the workload.",
        violated=_request_longer_than_a_sequence,
    ),
    Rule(
        name="trt-prompt-fits",
        fields=("trt.max_input_len", "workload.input_tokens"),
        reason="prompts exceed it",
        hint="Raise trt.max_input_len, or shorten workload.input_tokens.",
        violated=_prompt_longer_than_a_prompt,
    ),
    Rule(
        name="trt-iteration-holds-every-request",
        fields=("trt.max_batch_size", "trt.max_num_tokens"),
        reason="an iteration has fewer tokens than that, so it never holds as many requests",
        hint="Raise trt.max_num_tokens, or lower trt.max_batch_size.",
        violated=_more_requests_than_tokens,
        severity="warning",
    ),
    Rule(
        name="trt-one-largest-graph",
        fields=("trt.cuda_graphs.max_batch_size", "trt.cuda_graphs.batch_sizes"),
        reason="it differs from the largest of the batch sizes",
        hint="Remove it, or set it to the largest.",
        violated=_two_largest_graphs,
    ),
    Rule(
        name="trt-graphs-fit-batches",
        fields=("trt.cuda_graphs.batch_sizes", "trt.max_batch_size"),
        reason="every size exceeds the largest batch, so no graph is ever replayed",
        hint="Add smaller sizes, or set trt.cuda_graphs.enabled: false.",
        violated=_graphs_that_are_never_replayed,
        severity="warning",
    ),
    Rule(
        name="trt-breakable-graphs-are-not-compiled",
        fields=("trt.prefill_cuda_graph_backend", "trt.torch_compile"),
        reason="the engine cannot capture breakable graphs of a compiled model",
        hint="Use piecewise, or remove trt.torch_compile.",
        violated=_breakable_graphs_of_a_compiled_model,
        excludes=("trt.torch_compile",),
    ),
    Rule(
        name="trt-piecewise-graphs-are-compiled",
        fields=("trt.prefill_cuda_graph_backend", "trt.torch_compile.enabled"),
        reason="piecewise graphs need a compiled model, and compilation is off",
        hint="Remove trt.torch_compile.enabled: false, or use breakable.",
        violated=_piecewise_graphs_of_an_uncompiled_model,
    ),
)
"""Rules about limits and graphs."""
