"""Turn vLLM's outputs into one result per request, after the window."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from llem.api import Request, RequestResult
from llem.api.session import FinishReason
from llem_vllm.runtime.engine_metrics import TokenTimes


def generated_results(
    requests: Sequence[Request], outputs: Sequence[Any], times: TokenTimes, eos_ids: Set[int]
) -> list[RequestResult]:
    """Return the results of ``LLM.generate``.

    A request's times are the engine's monotonic ones: when it was queued and when each token was
    ready. vLLM's ``arrival_time`` is wall-clock time and is not used.

    Raises:
        RuntimeError: The engine gave a request up.
    """
    results = []
    for request, output in zip(requests, outputs, strict=True):
        completion, metrics = output.outputs[0], output.metrics
        ids = list(completion.token_ids)
        results.append(
            RequestResult(
                index=request.index,
                output_ids=ids,
                finish_reason=finish_reason(
                    completion.finish_reason, completion.stop_reason, eos_ids
                ),
                submitted_s=metrics.queued_ts,
                finished_s=metrics.last_token_ts,
                token_times_s=times.of(output.request_id, len(ids)),
            )
        )
    return results


def require_one_length(requests: Sequence[Request]) -> None:
    """Refuse requests of several output lengths: a call of beam search has one.

    Raises:
        ValueError: The lengths differ, as rows of a workload may state them.
    """
    if len({request.max_new_tokens for request in requests}) > 1:
        raise ValueError(
            "beam search of vLLM has one output length for all requests, and the rows of the "
            "workload state several: set workload.row_lengths: false"
        )


def beam_results(
    requests: Sequence[Request],
    outputs: Sequence[Any],
    eos_ids: Set[int],
    *,
    started_s: float,
    finished_s: float,
) -> list[RequestResult]:
    """Return the results of ``LLM.beam_search``: the best sequence of each request.

    The winning beam is known at the end only, so tokens have no times.
    """
    results = []
    for request, output in zip(requests, outputs, strict=True):
        best = output.sequences[0]
        ids = list(best.tokens[len(request.prompt_ids) :])
        ended = bool(ids) and ids[-1] in eos_ids
        results.append(
            RequestResult(
                index=request.index,
                output_ids=ids,
                finish_reason="eos" if ended else "length",
                submitted_s=started_s,
                finished_s=finished_s,
            )
        )
    return results


def finish_reason(reason: str | None, stop: int | str | None, eos_ids: Set[int]) -> FinishReason:
    """Translate vLLM's finish reason.

    Args:
        reason: ``stop`` or ``length``; any other value is a failure.
        stop: The stop text or token id that ended the request; ``None`` for the tokenizer's EOS.
        eos_ids: Token ids that end a request by themselves.

    Raises:
        RuntimeError: The engine gave the request up.
    """
    match reason:
        case "length":
            return "length"
        case "stop":
            return "eos" if stop is None or stop in eos_ids else "stop"
        case _:
            raise RuntimeError(f"vLLM ended a request with {reason!r}")
