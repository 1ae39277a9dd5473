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


class MeterUnusable(OSError):
    """The source is on this machine and cannot be read; the message says what to do."""


class Quantity(StrEnum):
    """Meaning of a channel's readings."""

    ENERGY = "energy counter"
    """Joules since an unknown start; only differences have a meaning."""
    POWER = "instantaneous power"
    """Watts at the moment of the reading."""
    AVERAGE_POWER = "averaged power"
    """Watts averaged over a window before the reading; lags behind the load."""


def gpu_device_id(uuid: object) -> str:
    """Return the id ``cuda:GPU-<uuid>`` of an NVIDIA device, whose UUID may lack the prefix."""
    return f"cuda:GPU-{str(uuid).removeprefix('GPU-')}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A stream of readings: a quantity of a domain of a device.

    A meter may read several quantities of the same domain. They become a single row of the
    outcome: the counter comes first, then instantaneous power, then averaged power; each stands
    in for a better source in the windows that the better source does not cover.

    Attributes:
        device: Stable device id, such as ``cpu`` or ``cuda:GPU-<uuid>``.
        domain: Part of the device, such as ``package``, ``dram``, ``gpu``, ``board``.
        quantity: Meaning of the readings.
        update_period_s: Time between two updates of the source; ``None`` if unknown.
        resolution: Smallest step of a reading, in joules or watts; ``None`` if unknown.
        averaged_over_s: Time over which averaged power is averaged; ``None`` for other quantities.
        wraps_at_j: Value at which the counter wraps to 0; ``None`` if it does not wrap.
        gain_error_ratio: Standard relative error of the sensor itself; ``None`` if unknown.
        max_w: Greatest power that the domain may draw, such as its enforced limit; ``None`` if
            unknown. Readings beyond it speak against the source.
        contained_in: Domain of the same device that includes this domain, so that a total counts
            it once; ``None`` if no other domain includes it. The domain counts by itself where
            that domain has no energy, or less than its contents.
        contents_suffice: Whether the domains in this domain are a complete figure by themselves,
            as CPU packages within a platform are.
        covers: Other devices that this domain includes, by kind: ``("cpu",)`` for the counter of a
            module that holds a GPU and a CPU, ``("*",)`` for a whole machine.
        fallback_for: Better sources of this domain that do not work, and why; empty if none.
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
    max_w: float | None = None
    contained_in: str | None = None
    contents_suffice: bool = False
    covers: tuple[str, ...] = ()
    fallback_for: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of a channel.

    Attributes:
        channel: Index into the meter's channels.
        time_s: ``time.monotonic()`` of the value: midway between before and after the call.
        value: Joules or watts; ``None`` if the source did not answer.
        error: Why the value is missing, or empty.
    """

    channel: int
    time_s: float
    value: float | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """State of a device besides its energy; ``None`` for each unknown value.

    Attributes:
        device: The device's id, as in :class:`Channel`.
        time_s: ``time.monotonic()`` of the sample.
        temperature_c: Temperature of the chip, in degrees Celsius.
        core_clock_hz: Clock of the arithmetic units.
        memory_clock_hz: Clock of the memory.
        power_limit_w: Enforced power limit.
        throttled_by: Causes that reduce its clocks, such as ``hw-thermal``.
        process_ids: Processes that compute on it.
        partitioned: Whether the device is split into instances (MIG).
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
        available: True if it can be opened.
        reason: Why it is unavailable and what to do, or a remark.
        channels: The channels that it would offer.
        present: True if the source is on this machine, even if it cannot be read.
    """

    available: bool
    reason: str = ""
    channels: tuple[Channel, ...] = ()
    present: bool = False


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """Description of a meter, as ``llem_meters()`` returns it.

    Attributes:
        name: Name in ``measurement.meters``.
        summary: One line for ``llem meters``.
        provenance: ``measured`` or ``estimated``.
        factory: Dotted name of the :class:`Meter` class, imported when first needed.
        fallback: True if it is used only where no measuring meter covers the device kind.
        device_kind: ``cpu``, ``cuda`` or another prefix of the device ids that it reports.
        opt_in: True if only its name selects it, never ``auto``.
    """

    name: str
    summary: str
    provenance: Provenance
    factory: str
    device_kind: str
    fallback: bool = False
    opt_in: bool = False


class Meter(ABC):
    """A source of readings.

    Args:
        options: The ``measurement`` section as JSON data; a meter reads its own keys.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def probe(self) -> Probe:
        """Return whether the meter works here: by default, whether it can be opened, or why not.

        It leaves nothing open, and must not raise.
        """
        try:
            channels = tuple(self.open(()))
            remarks = [f"{device}: {why}" for device, why in self.unreadable().items()]
            return Probe(True, "; ".join(remarks), channels, present=True)
        except OSError as error:
            present = isinstance(error, MeterUnusable | PermissionError)
            return Probe(available=False, reason=str(error), present=present)
        finally:
            self.close()

    @abstractmethod
    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Start reading ``devices`` (ids of its kind; empty means all) and return its channels.

        A device that cannot be read hides no other device: :meth:`unreadable` names it.

        Raises:
            MeterUnusable: The source is here, and nothing of it can be read.
            OSError: The source is not here.
        """

    def unreadable(self) -> Mapping[str, str]:
        """Return the devices that :meth:`open` found and cannot read, each with the reason."""
        return {}

    @abstractmethod
    def read(self) -> Sequence[Reading]:
        """Read every channel once. Called from the sampling thread; must not raise."""

    def state(self) -> Sequence[DeviceState]:
        """Return the state of each device besides its energy; must not raise.

        When: about once a second, from the sampling thread. It may take longer than ``read``.
        """
        return ()

    def close(self) -> None:
        """Release the source. May be called more than once."""
        return


@dataclass(slots=True)
class Series:
    """The readings of a channel, in time order.

    Attributes:
        channel: The channel.
        provenance: Whether the values are measured or estimated.
        meter: Name of the meter.
        times_s: Time of each value.
        values: Joules or watts; same length as ``times_s``.
        failures: Times of failed readings.
        rejected: Times of readings that no such device can give, which are left out.
        standing: Stretches in which a counter stood still for longer than a powered device can.
        breaks: Times of readings between which and the reading before the energy is unknown.
    """

    channel: Channel
    provenance: Provenance
    meter: str
    times_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    failures: list[float] = field(default_factory=list)
    rejected: list[float] = field(default_factory=list)
    standing: list[tuple[float, float]] = field(default_factory=list)
    breaks: list[float] = field(default_factory=list)
