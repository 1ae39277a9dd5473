"""From what ``generate()`` returned to what each request got; done after the window."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import torch
from transformers import StopStringCriteria

from llem.api.session import FinishReason, RequestResult
from llem_pytorch.runtime.batches import Batch


@dataclass(frozen=True, slots=True)
class Generated:
    """One batch after its ``generate()`` call.

    Attributes:
        batch: The batch.
        sequences: Padded prompts with what was generated; one row per request, or as many in a
            row as sequences are returned for each.
        submitted_s: When the call began.
        returned_s: When it returned.
        token_times_s: When each generated position was on the host; ``None`` if it did not stream.
        steps: Forward passes after which tokens were handed over; ``None`` if it did not stream.
    """

    batch: Batch
    sequences: torch.Tensor
    submitted_s: float
    returned_s: float
    token_times_s: list[float] | None
    steps: int | None = None

    @property
    def positions(self) -> int:
        """Positions generated for each row."""
        return int(self.sequences.shape[1]) - self.batch.prompt_positions


def results(
    generated: Generated, eos_ids: Set[int], stop: StopStringCriteria | None
) -> list[RequestResult]:
    """Return one result per row: its tokens up to its own end, and their times."""
    sequences = generated.sequences.cpu()
    rows = sequences[:, generated.batch.prompt_positions :].tolist()
    stops = stop_steps(sequences, generated.positions, stop)
    times = generated.token_times_s
    if times is not None and len(times) != generated.positions:
        times = None  # more or fewer than were handed over: no telling which came when
    requests = generated.batch.requests
    returned = len(rows) // len(requests)
    found = []
    for at, (row, stop_step) in enumerate(zip(rows, stops, strict=True)):
        request = requests[at // returned]
        length, reason = row_end(row[: request.max_new_tokens], eos_ids, stop_step)
        found.append(
            RequestResult(
                index=request.index,
                output_ids=row[:length],
                finish_reason=reason,
                submitted_s=generated.submitted_s,
                finished_s=times[length - 1] if times else generated.returned_s,
                token_times_s=times[:length] if times else None,
            )
        )
    return found


def row_end(ids: list[int], eos_ids: Set[int], stop_step: int | None) -> tuple[int, FinishReason]:
    """Return how many of ``ids`` are the request's own, and why it ended there.

    Args:
        ids: What was generated for the row, up to its limit; filler may follow its end.
        eos_ids: Ids that end a request.
        stop_step: Step that completed a stop text, from 1, or ``None``.
    """
    for step, token in enumerate(ids, start=1):
        if token in eos_ids:
            return step, "eos"
        if step == stop_step:
            return step, "stop"
    return len(ids), "length"


def stop_steps(
    sequences: torch.Tensor, steps: int, stop: StopStringCriteria | None
) -> list[int | None]:
    """Return for each row the first step that completed a stop text.

    Filler after a row's end cannot be told from generated tokens by its id, so the criterion
    that ended the rows is asked again, step by step.
    """
    found: list[int | None] = [None] * len(sequences)
    if stop is None:
        return found
    prompt_positions = sequences.shape[1] - steps
    for step in range(1, steps + 1):
        done = stop(sequences[:, : prompt_positions + step], None).tolist()
        found = [
            step if row_done and first is None else first
            for row_done, first in zip(done, found, strict=True)
        ]
    return found
