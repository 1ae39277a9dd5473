"""From what vLLM returned to what each request got; done after the window."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from llem.api.session import FinishReason, Request, RequestResult
from llem_vllm.runtime.token_times import TokenTimes


def generated(
    requests: Sequence[Request], outputs: Sequence[Any], times: TokenTimes, eos_ids: Set[int]
) -> list[RequestResult]:
    """Return one result per request of ``LLM.generate``.

    Times are the engine's monotonic ones: when it queued the request, and when it had each token.
    ``arrival_time`` is wall clock and is not used.

    Raises:
        RuntimeError: The engine gave a request up.
    """
    found = []
    for request, output in zip(requests, outputs, strict=True):
        completion, metrics = output.outputs[0], output.metrics
        ids = list(completion.token_ids)
        found.append(
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
    return found


def searched(
    requests: Sequence[Request],
    outputs: Sequence[Any],
    eos_ids: Set[int],
    *,
    started_s: float,
    finished_s: float,
) -> list[RequestResult]:
    """Return one result per request of ``LLM.beam_search``: its best sequence.

    Which beam wins is known at the end only, so no token has a time of its own.
    """
    found = []
    for request, output in zip(requests, outputs, strict=True):
        best = output.sequences[0]
        ids = list(best.tokens[len(request.prompt_ids) :])
        ended = bool(ids) and ids[-1] in eos_ids
        found.append(
            RequestResult(
                index=request.index,
                output_ids=ids,
                finish_reason="eos" if ended else "length",
                submitted_s=started_s,
                finished_s=finished_s,
            )
        )
    return found


def finish_reason(reason: str | None, stop: int | str | None, eos_ids: Set[int]) -> FinishReason:
    """Return why a request ended, in llem's words.

    Args:
        reason: What vLLM says: ``stop`` or ``length``; anything else is a failure.
        stop: The stop text or token id that ended it; ``None`` for the tokenizer's EOS.
        eos_ids: Ids that end a request by themselves.

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
