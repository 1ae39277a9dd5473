"""CPU and memory energy through the kernel's powercap interface (Intel RAPL, and AMD's).

Source: Linux ``Documentation/power/powercap/powercap.rst``: ``energy_uj`` counts microjoules and
starts again from 0 after ``max_energy_range_uj``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llem.api.meters import Channel, Meter, Quantity, Reading

POWERCAP = Path("/sys/class/powercap")
UPDATE_PERIOD_S = 0.001
"""The hardware updates its counter about once a millisecond (Intel SDM vol. 3B, 15.10)."""

_HINT = "sudo chmod a+r /sys/class/powercap/*/energy_uj"


class RaplMeter(Meter):
    """Reads every zone's counter.

    Args:
        options: Not used; RAPL has no options.
        root: The powercap folder.
    """

    def __init__(self, options: Mapping[str, Any], root: Path = POWERCAP) -> None:
        super().__init__(options)
        self._root = root
        self._zones: list[tuple[Path, Channel]] = []

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Return a channel for every zone.

        Raises:
            OSError: There is no zone, or a zone cannot be read.
        """
        try:
            self._zones = list(self._find())
        except PermissionError as error:
            raise OSError(
                f"{error.filename} can only be read by root, because fine-grained energy leaks "
                f"secrets (CVE-2020-8694); if that is acceptable here: {_HINT}"
            ) from error
        except OSError as error:
            raise OSError(f"cannot read {self._root}: {error.strerror}") from error
        if not self._zones:
            raise OSError(f"no RAPL zone in {self._root}: not this processor, or a virtual machine")
        return tuple(channel for _, channel in self._zones)

    def read(self) -> Sequence[Reading]:
        """Read every counter."""
        return tuple(self._reading(at, zone) for at, (zone, _) in enumerate(self._zones))

    def _reading(self, at: int, zone: Path) -> Reading:
        before_s = time.monotonic()
        try:
            microjoules = int((zone / "energy_uj").read_text())
        except (OSError, ValueError) as error:
            return Reading(at, time.monotonic(), None, error=str(error))
        return Reading(at, (before_s + time.monotonic()) / 2, microjoules / 1e6)

    def _find(self) -> Iterator[tuple[Path, Channel]]:
        """Yield each zone with its channel; ``intel-rapl:0:1`` lies within ``intel-rapl:0``.

        ``intel-rapl-mmio`` shows the same counters again and is left out.
        """
        zones = sorted(self._root.glob("intel-rapl:*"))
        names = {zone.name: (zone / "name").read_text().strip() for zone in zones}
        for zone in zones:
            (zone / "energy_uj").read_text()
            yield zone, _channel(zone, names)


def _channel(zone: Path, names: Mapping[str, str]) -> Channel:
    """Return a zone as a domain of the host CPU.

    ``psys`` covers the whole platform and so contains every package; a package contains its cores
    and graphics; memory is counted beside the package.
    """
    domain = names[zone.name]
    parent = names[":".join(zone.name.split(":")[:2])]
    platform = "psys" if "psys" in names.values() and domain != "psys" else None
    nested = domain != parent
    within_package = nested and domain != "dram"
    return Channel(
        device="cpu",
        domain=f"{parent}/{domain}" if nested else domain,
        quantity=Quantity.ENERGY,
        update_period_s=UPDATE_PERIOD_S,
        resolution=61e-6,
        wraps_at_j=int((zone / "max_energy_range_uj").read_text()) / 1e6,
        contained_in=parent if within_package else platform,
    )
