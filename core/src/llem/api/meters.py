"""Sources of energy and power readings.

A meter is described by a :class:`MeterSpec` (cheap, no device touched) and implemented by a
:class:`Meter` (opened by the host, read from a sampling thread while the worker runs).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from llem.schema.provenance import Provenance as Provenance


class Quantity(StrEnum):
    """What a channel's readings mean."""

    ENERGY = "energy counter"
    """Joules since some start; only differences mean anything."""
    POWER = "instantaneous power"
    """Watts at the moment of the reading."""
    AVERAGE_POWER = "averaged power"
    """Watts averaged over a window before the reading; lags behind the load."""


def gpu_device_id(uuid: object) -> str:
    """Return the id ``cuda:GPU-<uuid>`` of an NVIDIA device, whose UUID may lack the prefix."""
    return f"cuda:GPU-{str(uuid).removeprefix('GPU-')}"


@dataclass(frozen=True, slots=True)
class Channel:
    """One stream of readings: one quantity of one domain of one device.

    A meter may read several quantities of the same domain. They are one row of the outcome: the
    counter is used first, then instantaneous power, then averaged power, and each stands in for
    a better one in the windows where that one has nothing to say.

    Attributes:
        device: Stable device id, such as ``cpu`` or ``cuda:GPU-<uuid>``.
        domain: Part of the device, such as ``package``, ``dram``, ``gpu``, ``board``.
        quantity: What the readings mean.
        update_period_s: How often the source renews its value; ``None`` if unknown.
        resolution: Smallest step of a reading, in joules or watts; ``None`` if unknown.
        averaged_over_s: Time over which averaged power is averaged; ``None`` for other quantities.
        wraps_at_j: Counter value at which it starts again from 0; ``None`` if it does not.
        gain_error_ratio: Standard relative error of the sensor itself; ``None`` if unknown.
        contained_in: Domain of the same device that already includes this one, so that a
            total counts it once; ``None`` for a domain that stands for itself.
        fallback_for: Which better source of this domain does not work, and why; empty if none.
        note: Model and inputs of an estimate, or a remark.
    """

    device: str
    domain: str
    quantity: Quantity
    update_period_s: float | None = None
    resolution: float | None = None
    averaged_over_s: float | None = None
    wraps_at_j: float | None = None
    gain_error_ratio: float | None = None
    contained_in: str | None = None
    fallback_for: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one channel.

    Attributes:
        channel: Index into the meter's channels.
        time_s: ``time.monotonic()`` of the value: midway between before and after the call.
        value: Joules or watts, or ``None`` when the source did not answer.
        error: Why it did not, or empty.
    """

    channel: int
    time_s: float
    value: float | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What a device does besides using energy; whatever is unknown is ``None``.

    Attributes:
        device: The device's id, as in :class:`Channel`.
        time_s: ``time.monotonic()`` when it was looked at.
        temperature_c: Of the chip, in degrees Celsius.
        core_clock_hz: Of the arithmetic units.
        memory_clock_hz: Of the memory.
        power_limit_w: The limit that is enforced.
        throttled_by: What holds its clocks down against its will, such as ``hw-thermal``.
        process_ids: Processes that compute on it.
        partitioned: Whether it is split into instances (MIG).
    """

    device: str
    time_s: float
    temperature_c: float | None = None
    core_clock_hz: float | None = None
    memory_clock_hz: float | None = None
    power_limit_w: float | None = None
    throttled_by: tuple[str, ...] | None = None
    process_ids: tuple[int, ...] | None = None
    partitioned: bool | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether a meter works here.

    Attributes:
        available: True when it can be opened.
        reason: Why not and what to do, or a remark.
        channels: The channels it would offer.
    """

    available: bool
    reason: str = ""
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """What ``llem_meters()`` returns for each meter.

    Attributes:
        name: Name in ``measurement.meters``.
        summary: One line for ``llem meters``.
        provenance: ``measured`` or ``estimated``.
        factory: Dotted name of the :class:`Meter` class, imported when first needed.
        fallback: True when it is used only where no measuring meter covers the device kind.
        device_kind: ``cpu``, ``cuda`` or another prefix of the device ids it reports.
        opt_in: True when ``auto`` never takes it, only its name does.
    """

    name: str
    summary: str
    provenance: Provenance
    factory: str
    device_kind: str
    fallback: bool = False
    opt_in: bool = False


class Meter(ABC):
    """One opened source of readings.

    Args:
        options: The ``measurement`` section as JSON data; a meter takes what is its own.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    @abstractmethod
    def probe(self) -> Probe:
        """Say whether the meter works here, without keeping anything open. Must not raise."""

    @abstractmethod
    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Start reading ``devices`` (ids of its own kind; empty means all) and name its channels.

        Raises:
            OSError: The source cannot be read.
        """

    @abstractmethod
    def read(self) -> Sequence[Reading]:
        """Read every channel once. Called from one sampling thread; must not raise."""

    def state(self) -> Sequence[DeviceState]:
        """Return what is known of the devices besides energy; must not raise.

        When: about once a second, from the sampling thread. It may cost more than reading.
        """
        return ()

    def close(self) -> None:
        """Release the source. May be called more than once."""
        return


@dataclass(slots=True)
class Series:
    """The readings of one channel, in time order.

    Attributes:
        channel: What was read.
        provenance: How the values came about.
        meter: Name of the meter.
        times_s: When each value was read.
        values: Joules or watts; same length as ``times_s``.
        failures: Times at which the source did not answer.
    """

    channel: Channel
    provenance: Provenance
    meter: str
    times_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    failures: list[float] = field(default_factory=list)
