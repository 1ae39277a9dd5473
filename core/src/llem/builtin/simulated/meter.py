"""A meter of constant power, for deterministic energy in tests and studies."""

from __future__ import annotations

import time
from collections.abc import Sequence

from llem.api.meter import Channel, Meter, Probe, Quantity, Reading

POWER_W = 100.0
"""The power it always shows."""

_CHANNEL = Channel(
    device="host:simulated",
    domain="device",
    quantity=Quantity.POWER,
    resolution=0.0,
    note="constant power of a device that does not exist",
)


class ConstantPowerMeter(Meter):
    """Shows :data:`POWER_W` at all times."""

    def probe(self) -> Probe:
        """Say that it always works."""
        return Probe(available=True, channels=(_CHANNEL,))

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Return its one channel."""
        return (_CHANNEL,)

    def read(self) -> Sequence[Reading]:
        """Return the constant."""
        return (Reading(channel=0, time_s=time.monotonic(), value=POWER_W),)
