"""Read all meters in the background, with a thread for each meter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from llem.api.meters import Channel, DeviceState, Meter, Provenance, Quantity, Reading, Series

DEFAULT_PERIOD_S = 0.1
"""Time between two readings of a meter whose update period is unknown."""

MIN_PERIOD_S, MAX_PERIOD_S = 0.02, 0.5
"""Bounds of a period that llem chooses."""

READINGS_PER_UPDATE = 2.0
"""Readings of each value, so that the moment of an update shows."""

MAX_CORE_RATIO = 0.004
"""Share of a core that reading a meter may cost; an expensive meter is read less often."""

MAX_UPDATE_RATIO = 0.55
"""Greatest period of reading a counter, as a share of its update period, whatever the cost. Two
readings are up to 1.6 periods apart, and readings that miss updates cannot locate them."""

STATE_PERIOD_S = 1.0
"""Time between two readings of temperature, clocks and the like."""

_GOLDEN = (5**0.5 - 1) / 2
_ADAPT_AFTER = 40
_NEW_TOO_OFTEN, _NEW_TOO_SELDOM = 0.65, 0.3


@dataclass(frozen=True, slots=True)
class Source:
    """An opened meter.

    Attributes:
        name: Name of the meter.
        provenance: Origin of its values.
        meter: The meter itself.
        channels: Its channels; readings refer to them by index.
    """

    name: str
    provenance: Provenance
    meter: Meter
    channels: tuple[Channel, ...]


class Reader:
    """Collects a series for each channel of a meter until stopped.

    There is a reading in each period, and its phase moves by the golden section. So the readings
    cover all phases of everything periodic, of the meter's updates and of the load, and delays do
    not add up. A reading that is due while the last reading still runs is left out.

    Args:
        source: The opened meter.
        period_s: Time between two readings, or ``None`` to follow the meter's updates.
    """

    def __init__(self, source: Source, period_s: float | None) -> None:
        self.source = source
        self.period_s = period_s or _initial_period_s(source.channels)
        self.states: list[DeviceState] = []
        self.errors: dict[str, str] = {}
        """The last error of each device that failed."""
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
        """Start to read in the background."""
        self._thread.start()

    def request_stop(self) -> None:
        """Request a last reading and the end."""
        self._stopped.set()

    def has_stopped(self, timeout_s: float) -> bool:
        """Wait for the end; return whether it came, because a meter may hang."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def series(self) -> list[Series]:
        """Return a copy of the readings so far, a series for each channel."""
        return [
            Series(
                series.channel,
                series.provenance,
                series.meter,
                # Times are appended last, so values are never shorter.
                times_s=(times := list(series.times_s)),
                values=series.values[: len(times)],
                failures=list(series.failures),
            )
            for series in self._series
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
        try:
            readings = self.source.meter.read()
        except Exception as error:  # noqa: BLE001 - a meter of a plugin; the others go on
            message, now_s = f"{type(error).__name__}: {error}", time.monotonic()
            channels = range(len(self._series))
            readings = [Reading(at, now_s, None, error=message) for at in channels]
        for reading in readings:
            series = self._series[reading.channel]
            if reading.value is None:
                series.failures.append(reading.time_s)
                self.errors[series.channel.device] = reading.error
            elif not series.times_s or reading.time_s > series.times_s[-1]:
                series.values.append(reading.value)
                series.times_s.append(reading.time_s)

    def _adapt(self, cpu_per_read_s: float) -> None:
        """Adapt the period to the meter's updates and to the cost of a reading."""
        self.period_s = next_period_s(
            self.period_s,
            cpu_per_read_s=cpu_per_read_s,
            new_ratio=max(map(_new_ratio, self._series)) if self._adapts else None,
            update_period_s=_least_update_s(self.source.channels),
        )


def next_period_s(
    period_s: float, *, cpu_per_read_s: float, new_ratio: float | None, update_period_s: float
) -> float:
    """Return the period of the next readings of a meter.

    Args:
        period_s: Period of the last readings.
        cpu_per_read_s: Processor time of a reading.
        new_ratio: Share of a counter's readings that had a new value; ``None`` for a meter whose
            updates do not show.
        update_period_s: Update period of the meter, as far as it is known.

    Units: seconds.
    """
    affordable_s = cpu_per_read_s / MAX_CORE_RATIO
    if new_ratio is not None:
        if new_ratio > _NEW_TOO_OFTEN:
            period_s /= 1.5
        elif new_ratio < _NEW_TOO_SELDOM:
            period_s *= 1.25
        affordable_s = min(affordable_s, MAX_UPDATE_RATIO * update_period_s)
    return max(min(max(period_s, MIN_PERIOD_S), MAX_PERIOD_S), affordable_s)


def _initial_period_s(channels: Sequence[Channel]) -> float:
    periods = [
        channel.update_period_s for channel in channels if channel.update_period_s is not None
    ]
    if not periods:
        return DEFAULT_PERIOD_S
    wanted_s = min(periods) / READINGS_PER_UPDATE
    if wanted_s < MIN_PERIOD_S:
        # Too fast to follow: a reading is as new as it looks.
        return DEFAULT_PERIOD_S / READINGS_PER_UPDATE
    return min(wanted_s, MAX_PERIOD_S)


def _least_update_s(channels: Sequence[Channel]) -> float:
    return min(channel.update_period_s or DEFAULT_PERIOD_S for channel in channels)


def _shows_its_updates(channels: Sequence[Channel]) -> bool:
    """Return whether a counter is updated slowly enough for its steps to show."""
    return any(
        channel.quantity is Quantity.ENERGY
        and (channel.update_period_s or DEFAULT_PERIOD_S) >= READINGS_PER_UPDATE * MIN_PERIOD_S
        for channel in channels
    )


def _new_ratio(series: Series) -> float:
    """Return the share of a counter's last readings that had a new value."""
    recent = series.values[-_ADAPT_AFTER:]
    if series.channel.quantity is not Quantity.ENERGY or len(recent) < 2:
        return 0.0
    return sum(before != after for before, after in pairwise(recent)) / len(recent)


JOIN_TIMEOUT_S = 5.0
"""Longest wait for a meter's first reading, and for its last reading."""


class Sampler:
    """Collects a series for each channel of all meters until stopped.

    A slow meter delays only its own readings.

    Args:
        sources: The opened meters.
        period_s: Time between two readings; ``None`` follows the updates of each meter.
    """

    def __init__(self, sources: Sequence[Source], *, period_s: float | None) -> None:
        self.sources = tuple(sources)
        self._readers = [Reader(source, period_s) for source in self.sources]

    @property
    def settle_s(self) -> float:
        """How long readings must continue around an edge for its interpolation."""
        return self._longest_s(
            lambda reader, channel: 2 * reader.period_s + 2 * (channel.update_period_s or 0.0)
        )

    @property
    def settle_before_stop_s(self) -> float:
        """The same if :meth:`stop` follows, which reads once more."""
        return self._longest_s(
            lambda reader, channel: 2 * (channel.update_period_s or reader.period_s)
        )

    def start(self) -> None:
        """Read each meter once, and continue in the background."""
        for reader in self._readers:
            reader.start()
        deadline_s = time.monotonic() + JOIN_TIMEOUT_S
        for reader in self._readers:
            reader.first_read.wait(max(0.0, deadline_s - time.monotonic()))

    def stop(self) -> list[str]:
        """Read a last time and end; return the names of hanging meters, which must stay open.

        Further calls are harmless.
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
        """Return a copy of the readings so far, a series for each channel."""
        return [series for reader in self._readers for series in reader.series()]

    def states(self) -> list[DeviceState]:
        """Return temperature, clocks and the like so far."""
        return [state for reader in self._readers for state in list(reader.states)]

    def errors(self) -> dict[str, str]:
        """Return the last error of each device that failed at some time."""
        return {name: error for reader in self._readers for name, error in reader.errors.items()}

    def unreadable(self) -> dict[str, str]:
        """Return the devices that were found and could not be read, each with the reason."""
        found = [source.meter.unreadable() for source in self.sources]
        return {device: why for devices in found for device, why in devices.items()}

    def _longest_s(self, wait_s: Callable[[Reader, Channel], float]) -> float:
        """Return the longest wait over all channels, their averaging time included."""
        waits = [
            wait_s(reader, channel) + (channel.averaged_over_s or 0.0)
            for reader in self._readers
            for channel in reader.source.channels
        ]
        return max(waits, default=0.0)
