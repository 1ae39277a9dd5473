"""Read all meters in the background, each in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from llem.api.meter import Channel, DeviceState, Series
from llem.measure.reader import Reader, Source

PATIENCE_S = 5.0
"""How long a meter is waited for at the beginning and at the end."""


class Sampler:
    """Collects one series per channel until stopped.

    A meter that answers slowly holds up its own readings and nobody else's.

    Args:
        sources: The opened meters.
        period_s: Time between two readings; ``None`` follows the updates of each meter.
    """

    def __init__(self, sources: Sequence[Source], *, period_s: float | None) -> None:
        self.sources = tuple(sources)
        self._readers = [Reader(source, period_s) for source in self.sources]

    @property
    def settle_s(self) -> float:
        """How long readings must go on after an edge, or before it, for it to be interpolated."""
        return self._longest_s(
            lambda reader, channel: 2 * reader.period_s + 2 * (channel.update_period_s or 0.0)
        )

    @property
    def settle_before_stop_s(self) -> float:
        """The same where :meth:`stop` follows, whose reading need not be waited for."""
        return self._longest_s(
            lambda reader, channel: 2 * (channel.update_period_s or reader.period_s)
        )

    def start(self) -> None:
        """Read each meter once and go on in the background."""
        for reader in self._readers:
            reader.start()
        deadline_s = time.monotonic() + PATIENCE_S
        for reader in self._readers:
            reader.first_read.wait(max(0.0, deadline_s - time.monotonic()))

    def stop(self) -> list[str]:
        """Read a last time and end; return the names of meters that hang and must not be closed.

        May be called more than once.
        """
        for reader in self._readers:
            reader.ask_to_stop()
        deadline_s = time.monotonic() + PATIENCE_S
        return [
            reader.source.name
            for reader in self._readers
            if not reader.has_ended(max(0.0, deadline_s - time.monotonic()))
        ]

    def series(self) -> list[Series]:
        """Return a copy of what was read so far, one series per channel."""
        return [one for reader in self._readers for one in reader.series()]

    def states(self) -> list[DeviceState]:
        """Return what was seen beside energy so far."""
        return [state for reader in self._readers for state in list(reader.states)]

    def errors(self) -> dict[str, str]:
        """Return the last error of each device that did not answer at some time."""
        return {name: error for reader in self._readers for name, error in reader.errors.items()}

    def _longest_s(self, wait_s: Callable[[Reader, Channel], float]) -> float:
        """Return the longest wait over all channels, what each averages over included."""
        waits = [
            wait_s(reader, channel) + (channel.averaged_over_s or 0.0)
            for reader in self._readers
            for channel in reader.source.channels
        ]
        return max(waits, default=0.0)
