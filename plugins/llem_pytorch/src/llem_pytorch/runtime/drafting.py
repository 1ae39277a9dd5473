"""State that speculative decoding carries from one call to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LEARNT = ("num_assistant_tokens", "assistant_confidence_threshold")
"""What a schedule changes in the drafting model's own config, for good."""


class DraftState:
    """Puts back what a heuristic schedule has learnt, so that every repetition does the same.

    Args:
        objects: What the plan's calls have made; may hold the models.
    """

    def __init__(self, objects: Mapping[str, Any]) -> None:
        names = [name for name in ("assistant_model", "model") if name in objects]
        self._config: Any = objects[names[0]].generation_config if names else None
        self._before = {name: getattr(self._config, name, None) for name in LEARNT}

    def reset(self) -> None:
        """Go back to the first repetition's state."""
        for name, value in self._before.items():
            setattr(self._config, name, value)
