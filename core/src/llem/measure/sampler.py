"""Read all meters at a fixed period, from one thread of the host."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from llem.api.meter import Channel, Meter, Provenance, Series


@dataclass(frozen=True, slots=True)
class Source:
    """One opened meter.

    Attributes:
        name: Name of the meter.
        provenance: How its values come about.
        meter: The meter itself.
        channels: Its channels; readings refer to them by index.
    """

    name: str
    provenance: Provenance
    meter: Meter
    channels: tuple[Channel, ...]


class Sampler:
    """Collects one series per channel until stopped.

    Readings are due at multiples of the period after the start, so that delays do not add up;
    one that comes due while the last is still under way is left out.

    Args:
        sources: The opened meters.
        period_s: Time between two readings.
    """

    def __init__(self, sources: Sequence[Source], *, period_s: float) -> None:
        self.sources = tuple(sources)
        self.period_s = period_s
        self._series = [
            [Series(channel, source.provenance, source.name) for channel in source.channels]
            for source in self.sources
        ]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="llem-sampler", daemon=True)

    def start(self) -> None:
        """Read once and go on in the background; does nothing without a source."""
        if self.sources:
            self._read()
            self._thread.start()

    def stop(self) -> None:
        """Read a last time and end; may be called more than once."""
        if self._thread.is_alive():
            self._stopped.set()
            self._thread.join()
            self._read()

    def series(self) -> list[Series]:
        """Return a copy of what was read so far, one series per channel."""
        return [
            Series(
                one.channel,
                one.provenance,
                one.meter,
                # Times are appended last, so values is never the shorter one.
                times_s=(times := list(one.times_s)),
                values=one.values[: len(times)],
                failures=list(one.failures),
            )
            for of_source in self._series
            for one in of_source
        ]

    def _sample(self) -> None:
        due_s = time.monotonic() + self.period_s
        while not self._stopped.wait(max(0.0, due_s - time.monotonic())):
            self._read()
            late_s = time.monotonic() - due_s
            due_s += self.period_s * (1 + max(0.0, late_s // self.period_s))

    def _read(self) -> None:
        for source, of_source in zip(self.sources, self._series, strict=True):
            for reading in source.meter.read():
                series = of_source[reading.channel]
                if reading.value is None:
                    series.failures.append(reading.time_s)
                else:
                    series.values.append(reading.value)
                    series.times_s.append(reading.time_s)
