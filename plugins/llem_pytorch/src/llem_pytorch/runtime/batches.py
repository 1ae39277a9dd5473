"""Requests as left-padded batches on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from llem.api.session import Request


@dataclass(frozen=True, slots=True)
class Batch:
    """One static batch, ready for ``generate()``.

    Attributes:
        requests: Its rows, in order.
        input_ids: Prompts, padded on the left to the longest.
        attention_mask: 1 for prompt tokens, 0 for padding.
    """

    requests: Sequence[Request]
    input_ids: torch.Tensor
    attention_mask: torch.Tensor

    @property
    def prompt_positions(self) -> int:
        """Columns of the padded prompts."""
        return int(self.input_ids.shape[1])

    @property
    def max_new_tokens(self) -> int:
        """Output tokens after which the last row ends."""
        return max(request.max_new_tokens for request in self.requests)

    @property
    def padding_input_tokens(self) -> int:
        """Positions that are computed only to fill the prompts up to one length."""
        return sum(self.prompt_positions - len(request.prompt_ids) for request in self.requests)

    def stopping_criteria(self) -> list[Any]:
        """Return what ends rows before the last one; nothing where all limits are the same."""
        limits = {request.max_new_tokens for request in self.requests}
        return [] if len(limits) == 1 else [RowLimits(self)]


class RowLimits:
    """A stopping criterion that ends each row at its own request's limit."""

    def __init__(self, batch: Batch) -> None:
        limits = [batch.prompt_positions + request.max_new_tokens for request in batch.requests]
        self._ends = torch.tensor(limits, device=batch.input_ids.device)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        """Return for each row whether it has reached its limit.

        Beams and returned sequences are rows of their own, next to each other.
        """
        ends = self._ends
        if len(input_ids) != len(ends):
            ends = ends.repeat_interleave(len(input_ids) // len(ends))
        return ends <= input_ids.shape[1]


def make_batches(
    requests: Sequence[Request], *, size: int, pad_id: int, device: torch.device
) -> list[Batch]:
    """Cut ``requests`` into batches of ``size``, in the order given.

    Padding is on the left, because ``generate()`` continues every row from the last column.
    """
    return [
        _batch(requests[start : start + size], pad_id, device)
        for start in range(0, len(requests), size)
    ]


def _batch(requests: Sequence[Request], pad_id: int, device: torch.device) -> Batch:
    longest = max(len(request.prompt_ids) for request in requests)
    padding = [longest - len(request.prompt_ids) for request in requests]
    rows = zip(requests, padding, strict=True)
    return Batch(
        requests=requests,
        input_ids=torch.tensor(
            [[pad_id] * pad + list(request.prompt_ids) for request, pad in rows], device=device
        ),
        attention_mask=torch.tensor(
            [[0] * pad + [1] * (longest - pad) for pad in padding], device=device
        ),
    )
