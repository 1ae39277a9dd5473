"""Read all meters in the background, each in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from llem.api.meters import Channel, DeviceState, Meter, Provenance, Quantity, Series

DEFAULT_PERIOD_S = 0.1
"""Time between two readings where a meter does not tell how often it is renewed."""

LEAST_PERIOD_S, GREATEST_PERIOD_S = 0.02, 0.5
"""Bounds of a period that llem chooses."""

READINGS_PER_UPDATE = 2.0
"""So often each value is read, so that the moment of its renewal shows."""

MAX_CORE_RATIO = 0.004
"""Share of one core that reading a meter may cost; a dearer meter is read less often."""

MOST_OF_UPDATE = 0.55
"""Period of reading a counter, at most, as a share of its update period, however dear it is. Two
readings are up to 1.6 periods apart, and one that misses updates cannot locate them."""

STATE_PERIOD_S = 1.0
"""Time between two looks at temperature, clocks and the like."""

_GOLDEN = (5**0.5 - 1) / 2
_ADAPT_AFTER = 40
_NEW_TOO_OFTEN, _NEW_TOO_SELDOM = 0.65, 0.3


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


class Reader:
    """Collects one series per channel of one meter until stopped.

    One reading falls into each period, at a place in it that moves on by the golden section.
    So the readings see all phases of whatever is periodic, the meter's own renewals and the
    load alike, and delays do not add up. A reading that comes due while the last one is still
    under way is left out.

    Args:
        source: The opened meter.
        period_s: Time between two readings, or ``None`` to follow the meter's updates.
    """

    def __init__(self, source: Source, period_s: float | None) -> None:
        self.source = source
        self.period_s = period_s or _initial_period_s(source.channels)
        self.states: list[DeviceState] = []
        self.errors: dict[str, str] = {}
        """The last error of each device that did not answer."""
        self.first_read = threading.Event()
        self._adapts = period_s is None and _shows_its_updates(source.channels)
        self._chosen = period_s is None
        self._series = [
            Series(channel, source.provenance, source.name) for channel in source.channels
        ]
        self._stopped = threading.Event()
        name = f"llem-{source.name}"
        self._thread = threading.Thread(target=self._sample, name=name, daemon=True)

    def start(self) -> None:
        """Begin to read in the background."""
        self._thread.start()

    def request_stop(self) -> None:
        """Let it read a last time and end."""
        self._stopped.set()

    def has_stopped(self, timeout_s: float) -> bool:
        """Wait for the end and return whether it came; a meter may hang."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

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
            for one in self._series
        ]

    def _sample(self) -> None:
        self._read()
        self.first_read.set()
        origin_s, number, cpu_s, reads = time.monotonic(), 0, time.thread_time(), 0
        state_due_s = origin_s
        while True:
            now_s = time.monotonic()
            number = max(number + 1, int((now_s - origin_s) / self.period_s))
            due_s = origin_s + (number + number * _GOLDEN % 1) * self.period_s
            if self._stopped.wait(max(0.0, due_s - now_s)):
                break
            self._read()
            reads += 1
            if due_s >= state_due_s:
                state_due_s = due_s + STATE_PERIOD_S
                self.states += self.source.meter.state()
            if self._chosen and reads == _ADAPT_AFTER:
                self._adapt((time.thread_time() - cpu_s) / reads)
                origin_s, number = time.monotonic(), 0
                cpu_s, reads = time.thread_time(), 0
        self._read()

    def _read(self) -> None:
        for reading in self.source.meter.read():
            series = self._series[reading.channel]
            if reading.value is None:
                series.failures.append(reading.time_s)
                self.errors[series.channel.device] = reading.error
            elif not series.times_s or reading.time_s > series.times_s[-1]:
                series.values.append(reading.value)
                series.times_s.append(reading.time_s)

    def _adapt(self, cpu_per_read_s: float) -> None:
        """Follow the meter's updates as they show, within what reading may cost."""
        self.period_s = next_period_s(
            self.period_s,
            cpu_per_read_s=cpu_per_read_s,
            new_ratio=max(map(_new_ratio, self._series)) if self._adapts else None,
            update_period_s=_least_update_s(self.source.channels),
        )


def next_period_s(
    period_s: float, *, cpu_per_read_s: float, new_ratio: float | None, update_period_s: float
) -> float:
    """Return how far apart the next readings of a meter should be.

    Args:
        period_s: How far apart the last ones were.
        cpu_per_read_s: Processor time of one reading.
        new_ratio: How many of a counter's readings had a new value; ``None`` for a meter whose
            updates do not show.
        update_period_s: How often the meter is renewed, as far as is known.

    Units: seconds.
    """
    affordable_s = cpu_per_read_s / MAX_CORE_RATIO
    if new_ratio is not None:
        if new_ratio > _NEW_TOO_OFTEN:
            period_s /= 1.5
        elif new_ratio < _NEW_TOO_SELDOM:
            period_s *= 1.25
        affordable_s = min(affordable_s, MOST_OF_UPDATE * update_period_s)
    return max(min(max(period_s, LEAST_PERIOD_S), GREATEST_PERIOD_S), affordable_s)


def _initial_period_s(channels: Sequence[Channel]) -> float:
    periods = [one.update_period_s for one in channels if one.update_period_s is not None]
    if not periods:
        return DEFAULT_PERIOD_S
    wanted_s = min(periods) / READINGS_PER_UPDATE
    if wanted_s < LEAST_PERIOD_S:
        # Too fast to be followed: its readings are as new as they look.
        return DEFAULT_PERIOD_S / READINGS_PER_UPDATE
    return min(wanted_s, GREATEST_PERIOD_S)


def _least_update_s(channels: Sequence[Channel]) -> float:
    return min(one.update_period_s or DEFAULT_PERIOD_S for one in channels)


def _shows_its_updates(channels: Sequence[Channel]) -> bool:
    """Return whether a counter is renewed slowly enough for its steps to be seen."""
    return any(
        one.quantity is Quantity.ENERGY
        and (one.update_period_s or DEFAULT_PERIOD_S) >= READINGS_PER_UPDATE * LEAST_PERIOD_S
        for one in channels
    )


def _new_ratio(series: Series) -> float:
    """Return how many of the last readings of a counter had a new value."""
    recent = series.values[-_ADAPT_AFTER:]
    if series.channel.quantity is not Quantity.ENERGY or len(recent) < 2:
        return 0.0
    return sum(before != after for before, after in pairwise(recent)) / len(recent)


JOIN_TIMEOUT_S = 5.0
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
        deadline_s = time.monotonic() + JOIN_TIMEOUT_S
        for reader in self._readers:
            reader.first_read.wait(max(0.0, deadline_s - time.monotonic()))

    def stop(self) -> list[str]:
        """Read a last time and end; return the names of meters that hang and must not be closed.

        May be called more than once.
        """
        for reader in self._readers:
            reader.request_stop()
        deadline_s = time.monotonic() + JOIN_TIMEOUT_S
        return [
            reader.source.name
            for reader in self._readers
            if not reader.has_stopped(max(0.0, deadline_s - time.monotonic()))
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
