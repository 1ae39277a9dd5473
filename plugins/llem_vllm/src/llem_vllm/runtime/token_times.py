"""When each token was ready, on the engine's monotonic clock."""

from __future__ import annotations

from typing import Any


class TokenTimes:
    """Notes the time of each token while the engine's outputs pass by.

    vLLM stamps every step's outputs with ``time.monotonic()`` of the engine's process and keeps
    the first and last stamp of a request. Those between are needed for inter-token latency, so
    this stands before ``process_outputs`` and appends them to a list; it changes nothing.

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
        """Note the time of each new token, and let the engine go on."""
        if engine_core_timestamp is not None:
            for output in engine_core_outputs:
                # The engine adds a random ending to the name it was given.
                name = output.request_id.partition("-")[0]
                times = self._times_s.setdefault(name, [])
                times.extend([engine_core_timestamp] * len(output.new_token_ids))
        return self._process_outputs(engine_core_outputs, engine_core_timestamp, *rest, **more)

    def clear(self) -> None:
        """Forget earlier requests."""
        self._times_s.clear()

    def of(self, request_id: str, tokens: int) -> list[float] | None:
        """Return the times of a request's first ``tokens`` tokens; ``None`` if some are missing.

        Tokens after a stop text are generated and dropped, so there may be more.
        """
        times = self._times_s.get(request_id, [])
        return times[:tokens] if len(times) >= tokens else None
