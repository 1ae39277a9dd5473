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

    def put(self, tokens: Any) -> None:
        """Note the time; ``tokens`` are not looked at."""
        self._times_s.append(time.monotonic())

    def end(self) -> None:
        """Do nothing: the last token has its time already."""

    @property
    def step_times_s(self) -> list[float]:
        """When each step's tokens were on the host."""
        return self._times_s[1:]
