"""How a run tells its observer what it is doing. Nothing is told inside a window."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the steps of one experiment, between windows only."""

    def phase(self, name: str, detail: str = "") -> None:
        """Say that phase ``name`` begins."""

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Say how much window time is done, of how much, the last repetition's speed, and the
        present power of all devices, ``None`` if unavailable.
        """


class Silence:
    """A :class:`Progress` that tells nobody."""

    def phase(self, name: str, detail: str = "") -> None:
        """Ignore the phase."""

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Ignore the repetition."""
