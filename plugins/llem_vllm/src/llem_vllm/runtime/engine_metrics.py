"""Counters and token times of a repetition, from vLLM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

NAMES = {
    "vllm:prompt_tokens": "engine_prompt_tokens",
    "vllm:generation_tokens": "engine_output_tokens",
    "vllm:iteration_tokens_total": "engine_steps",
    "vllm:num_preemptions": "preemptions",
    "vllm:prefix_cache_queries": "prefix_cache_queried_tokens",
    "vllm:prefix_cache_hits": "prefix_cache_hit_tokens",
    "vllm:spec_decode_num_drafts": "speculation_drafts",
    "vllm:spec_decode_num_draft_tokens": "speculation_drafted_tokens",
    "vllm:spec_decode_num_accepted_tokens": "speculation_accepted_tokens",
}
"""The metrics that an outcome keeps, with their names there."""


def totals(metrics: Iterable[Any]) -> dict[str, float]:
    """Return the counts of ``LLM.get_metrics()`` so far, added up over engines.

    A histogram counts its observations.
    """
    found: defaultdict[str, float] = defaultdict(float)
    for metric in metrics:
        if metric.name in NAMES:
            value = metric.value if hasattr(metric, "value") else metric.count
            found[NAMES[metric.name]] += value
    return dict(found)


def delta(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return what was counted between two readings."""
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


class TokenTimes:
    """Records when each token was ready, in seconds of the engine's monotonic clock.

    vLLM stamps the outputs of every step with ``time.monotonic()`` of the engine's process, and
    keeps a request's first and last stamp only. Inter-token latency needs those in between, so a
    ``TokenTimes`` replaces ``process_outputs``: it appends the stamp to a list and passes the
    outputs on unchanged.

    Args:
        processor: The ``OutputProcessor`` of an ``LLMEngine``.
    """

    def __init__(self, processor: Any) -> None:
        self._process_outputs = processor.process_outputs
        self._times_s: dict[str, list[float]] = {}
        processor.process_outputs = self

    def __call__(
        self,
        engine_core_outputs: Any,
        engine_core_timestamp: float | None = None,
        *rest: Any,
        **more: Any,
    ) -> Any:
        """Record the time of each new token, and let vLLM process the outputs."""
        if engine_core_timestamp is not None:
            for output in engine_core_outputs:
                # The engine appends a random suffix to the request id.
                request_id = output.request_id.partition("-")[0]
                times = self._times_s.setdefault(request_id, [])
                times.extend([engine_core_timestamp] * len(output.new_token_ids))
        return self._process_outputs(engine_core_outputs, engine_core_timestamp, *rest, **more)

    def clear(self) -> None:
        """Forget earlier requests."""
        self._times_s.clear()

    def of(self, request_id: str, tokens: int) -> list[float] | None:
        """Return the times of a request's first ``tokens`` tokens; ``None`` if some are missing.

        There may be more, because tokens after a stop text are generated and dropped.
        """
        times = self._times_s.get(request_id, [])
        return times[:tokens] if len(times) >= tokens else None
