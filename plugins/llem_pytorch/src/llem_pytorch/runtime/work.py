"""What one repetition of the workload came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llem.api.session import RequestResult


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that :class:`~llem.api.session.RunResult` holds besides the window's two times.

    Attributes:
        requests: One result per returned sequence, in request order.
        padding_input_tokens: Positions computed only to fill a batch's prompts.
        padding_output_tokens: Positions generated for rows that had already ended.
        counters: Further counters of the engine.
    """

    requests: list[RequestResult]
    padding_input_tokens: int = 0
    padding_output_tokens: int = 0
    counters: dict[str, float] = field(default_factory=dict)

    def to_result(self) -> dict[str, Any]:
        """Return its fields as arguments of ``RunResult``."""
        return {name: getattr(self, name) for name in self.__slots__}
