"""CPU energy estimated from the CPU's load: a last resort, marked as an estimate everywhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from llem.api.meters import Channel, Meter, Probe, Quantity, Reading

ACTIVE_W_PER_CORE = 5.0
IDLE_W_PER_CORE = 1.0
"""Assumed package watts per logical core, busy and idle. Server and desktop parts span roughly 2
to 8 W per hardware thread at full load (thermal design power over threads); hence the error."""

GAIN_ERROR_RATIO = 0.5
"""Standard relative uncertainty of the model."""

_IDLE_FIELDS = ("idle", "iowait", "steal", "guest", "guest_nice")


class CpuEstimateMeter(Meter):
    """Sums ``idle_w · t + (tdp_w - idle_w) · busy core-seconds / cores`` as a counter.

    The kernel counts busy core-seconds over the whole machine; user time includes guest time, which
    is therefore not added.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        cores = psutil.cpu_count() or 1
        tdp_w, idle_w = options.get("cpu_tdp_w"), options.get("cpu_idle_w")
        self._idle_w = IDLE_W_PER_CORE * cores if idle_w is None else idle_w
        self._tdp_w = ACTIVE_W_PER_CORE * cores if tdp_w is None else tdp_w
        self._cores = cores
        source = "assumed per core" if tdp_w is None and idle_w is None else "as configured"
        self._channel = Channel(
            device="cpu",
            domain="package",
            quantity=Quantity.ENERGY,
            # The kernel counts in ticks of 1/100 s.
            update_period_s=0.01,
            resolution=0.01 * (self._tdp_w - self._idle_w) / cores,
            max_w=self._tdp_w,
            gain_error_ratio=GAIN_ERROR_RATIO,
            note=(
                f"estimate: {self._idle_w:g} W idle to {self._tdp_w:g} W with all {cores} logical "
                f"cores busy ({source})"
            ),
        )

    def probe(self) -> Probe:
        """Return that the estimate works, and its assumptions."""
        return Probe(available=True, reason=self._channel.note, channels=(self._channel,))

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Return the channel of the package."""
        return (self._channel,)

    def read(self) -> Sequence[Reading]:
        """Return the joules that follow from the kernel's CPU times."""
        now_s = time.monotonic()
        times = psutil.cpu_times()
        busy_s = sum(times) - sum(getattr(times, name, 0.0) for name in _IDLE_FIELDS)
        active_w = (self._tdp_w - self._idle_w) / self._cores
        return (Reading(0, now_s, self._idle_w * now_s + active_w * busy_s),)
