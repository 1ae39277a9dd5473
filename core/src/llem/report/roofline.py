"""Achieved arithmetic and memory traffic, for a look at whether a result can be true.

Traffic is the least there can be: every step of generation reads the weights once for all requests
together, and each new token reads the keys and values of its context. Batches that do not fit
together, activations and padding add to it. Speculative decoding takes fewer steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llem.report.content.summary import Figure
from llem.schema.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Roofline:
    """What one outcome achieved.

    Attributes:
        id: The outcome.
        flops_per_s: Floating-point operations per second of window.
        mfu_ratio: The same over the devices' stated peak.
        bytes_per_s: Least memory traffic per second of window.
        note: What is missing, or where the peak comes from.
        beyond: Whether the verdict says that it is more than the devices can do.
    """

    id: str
    flops_per_s: Figure
    mfu_ratio: Figure
    bytes_per_s: Figure
    note: str
    beyond: bool


def rooflines(outcomes: Sequence[Outcome]) -> list[Roofline]:
    """Return what each outcome achieved, of those whose arithmetic is known."""
    return [
        Roofline(
            id=outcome.id,
            flops_per_s=Figure(outcome.compute.flops_per_s, f"{outcome.id}#compute.flops_per_s"),
            mfu_ratio=Figure(outcome.compute.mfu_ratio, f"{outcome.id}#compute.mfu_ratio"),
            bytes_per_s=Figure(least_bytes_per_s(outcome), f"bytes_per_s {outcome.id}"),
            note=outcome.compute.note,
            beyond=any(one.code == "beyond-roofline" for one in outcome.verdict.reasons),
        )
        for outcome in outcomes
        if outcome.compute is not None and outcome.compute.flops_per_s is not None
    ]


def least_bytes_per_s(outcome: Outcome) -> float | None:
    """Return the least traffic of weights and key/value cache that the work needs per second."""
    memory, tokens, workload = outcome.memory, outcome.tokens, outcome.workload
    duration_s, repetitions = outcome.timing.duration_s, len(outcome.timing.repetitions)
    if memory is None or memory.weights_bytes is None or not duration_s:
        return None
    if tokens is None or workload is None or not workload.requests:
        return None
    steps = tokens.output_tokens / workload.requests
    requests = workload.requests * repetitions
    context_tokens = (tokens.input_tokens + tokens.output_tokens / 2) / requests
    cache_bytes = (memory.kv_cache_bytes_per_token or 0) * context_tokens * tokens.output_tokens
    return (memory.weights_bytes * steps + cache_bytes) / duration_s
