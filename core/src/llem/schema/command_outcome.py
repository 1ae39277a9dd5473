"""The document of `llem meter`: what a command cost, in the same terms as an outcome."""

from __future__ import annotations

from typing import Literal

from llem.schema.base import FrozenModel, NonNegative
from llem.schema.energy import Energy
from llem.schema.outcome import Overhead, Reason, Verdict


class Window(FrozenModel):
    """The interval over which energy is counted: the command's life."""

    start_monotonic_s: float
    """When the command was started, on the monotonic clock."""
    end_monotonic_s: float
    """When it had ended."""
    duration_s: NonNegative
    """Length of the window."""


class Power(FrozenModel):
    """Power over the window, all counted domains together."""

    mean_w: float | None
    """Gross energy per second of the window."""
    peak_w: float | None
    """Greatest mean power over a part of the window as long as `peak_window_s`."""
    peak_window_s: NonNegative
    """One second, or the whole window if that is shorter."""


class CommandOutcome(FrozenModel):
    """What was measured while a command ran."""

    schema_version: Literal[2] = 2
    """Version of this document."""
    llem_version: str
    """Version of llem."""
    started_at: str
    """Wall-clock start, ISO 8601 in UTC."""
    command: tuple[str, ...]
    """The command and its arguments; secrets are never among them."""
    exit_code: int
    """How it ended: its exit code, or 128 and the number of the signal that ended it."""
    verdict: Verdict
    """Whether the figures may be used."""
    warnings: tuple[Reason, ...] = ()
    """Worth knowing, without making the figures invalid."""
    window: Window
    """When it ran."""
    energy: Energy
    """Energy in the window; there are no tokens or requests, so figures per one are null."""
    power: Power
    """Power in the window."""
    overhead: Overhead
    """Cost of measuring."""
