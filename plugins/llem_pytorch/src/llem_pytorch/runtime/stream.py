"""When each token became available."""

from __future__ import annotations

import time
from typing import Any


class TokenClock:
    """A streamer for ``generate()`` that keeps the time of each step and nothing else.

    ``generate()`` hands over the prompt first, then each step's tokens as soon as they are on
    the host. It waits for them there anyway, to see whether every row has ended, so the clock
    adds no synchronisation of its own.
    """

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._tokens: list[int] = []

    def put(self, tokens: Any) -> None:
        """Note the time, and how many tokens of each row came; their ids are not looked at.

        A step hands over one token of every row as a vector, or several of one row as a matrix.
        """
        self._times_s.append(time.monotonic())
        self._tokens.append(1 if tokens.ndim == 1 else tokens.shape[-1])

    def end(self) -> None:
        """Do nothing: the last token has its time already."""

    @property
    def steps(self) -> int:
        """Steps after the prompt."""
        return max(0, len(self._times_s) - 1)

    @property
    def token_times_s(self) -> list[float]:
        """When each token of a row was on the host; those of one step came together."""
        steps = zip(self._times_s[1:], self._tokens[1:], strict=True)
        return [time_s for time_s, tokens in steps for _ in range(tokens)]
