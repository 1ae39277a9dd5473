"""CPU and memory energy through the kernel's powercap interface (Intel RAPL, and AMD's).

Source: Linux ``Documentation/power/powercap/powercap.rst``: ``energy_uj`` counts microjoules and
starts again from 0 after ``max_energy_range_uj``. ``drivers/powercap/intel_rapl_common.c`` names
the zones: ``package-N``, ``package-N-die-M``, and ``psys`` or ``psys-N`` for the platform.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from llem.api.meters import Channel, Meter, MeterUnusable, Quantity, Reading

POWERCAP = Path("/sys/class/powercap")
UPDATE_PERIOD_S = 0.001
"""The hardware updates its counter about once a millisecond (Intel SDM vol. 3B, 15.10)."""

_HINT = "sudo chmod a+r /sys/class/powercap/*/energy_uj"

_TREES = ("intel-rapl:", "intel-rapl-mmio:")
"""Prefixes of zones; the second tree shows the counters of the first again."""

_PLATFORM = re.compile(r"psys(?:-(?P<number>\d+))?")
_PACKAGE = re.compile(r"package-(?P<number>\d+)(?:-die-\d+)?")


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
        self._unreadable: dict[str, str] = {}

    def open(self, devices: Sequence[str]) -> Sequence[Channel]:
        """Return a channel for every zone; a zone that cannot be read gives no reading.

        Raises:
            MeterUnusable: There are zones, and none can be read.
            OSError: There is no zone.
        """
        zones = self._find()
        if not zones:
            raise OSError(f"no RAPL zone in {self._root}: not this processor, or a virtual machine")
        errors: dict[str, OSError] = {}
        names = _names(zones)
        for zone in zones:
            try:
                (zone / "energy_uj").read_text()
            except OSError as error:
                errors[zone.name] = error
        if len(errors) == len(zones):
            raise MeterUnusable(_why(next(iter(errors.values()))))
        self._zones = [(zone, _channel(zone, names)) for zone in zones]
        self._unreadable = {
            f"cpu {channel.domain}": _why(errors[zone.name])
            for zone, channel in self._zones
            if zone.name in errors
        }
        return tuple(channel for _, channel in self._zones)

    def unreadable(self) -> Mapping[str, str]:
        """Return the zones that could not be read when the meter was opened."""
        return self._unreadable

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

    def _find(self) -> list[Path]:
        """Return the zones of the first tree that has any."""
        for prefix in _TREES:
            if zones := sorted(self._root.glob(f"{prefix}*"), key=_numbers):
                return zones
        return []


def _numbers(zone: Path) -> list[int]:
    """Return the numbers in a zone's name: ``intel-rapl:0:1`` lies within ``intel-rapl:0``."""
    return [int(number) for number in re.findall(r"\d+", zone.name)]


def _why(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return (
            f"{error.filename} can only be read by root, because fine-grained energy leaks "
            f"secrets (CVE-2020-8694); if that is acceptable here: {_HINT}"
        )
    return f"cannot read {error.filename}: {error.strerror}"


def _names(zones: Sequence[Path]) -> dict[str, str]:
    """Return a name for each zone's place; of top zones with the same name, each is told apart."""
    names = {}
    for zone in zones:
        names[zone.name] = zone.name
        with suppress(OSError):
            names[zone.name] = (zone / "name").read_text().strip() or zone.name
    tops = Counter(name for place, name in names.items() if place.count(":") == 1)
    return {
        place: f"{name} ({place})" if place.count(":") == 1 and tops[name] > 1 else name
        for place, name in names.items()
    }


def _platforms(names: Mapping[str, str]) -> dict[int, str]:
    """Return the platform domains by the number of the package that they belong to."""
    found = {}
    for name in names.values():
        if match := _PLATFORM.match(name):
            found[int(match["number"] or 0)] = name
    return dict(sorted(found.items()))


def _platform_of(package: str, names: Mapping[str, str]) -> str | None:
    """Return the platform domain that includes a package.

    Firmware that has a single platform counter registers it for one package, and it covers all;
    with several, each covers its own package.
    """
    platforms = _platforms(names)
    if not platforms or package in platforms.values():
        return None
    match = _PACKAGE.match(package)
    own = platforms.get(int(match["number"])) if match else None
    return own or next(iter(platforms.values()))


def _channel(zone: Path, names: Mapping[str, str]) -> Channel:
    """Return a zone as a domain of the host CPU.

    A platform contains packages; a package contains its cores and graphics; memory is counted
    beside the package.
    """
    domain = names[zone.name]
    top = ":".join(zone.name.split(":")[:2])
    parent = names.get(top, top)
    nested = zone.name != top
    within_package = nested and domain != "dram"
    return Channel(
        device="cpu",
        domain=f"{parent}/{domain}" if nested else domain,
        quantity=Quantity.ENERGY,
        update_period_s=UPDATE_PERIOD_S,
        resolution=61e-6,
        wraps_at_j=(_number(zone / "max_energy_range_uj") or 0.0) / 1e6 or None,
        max_w=_limit_w(zone),
        contained_in=parent if within_package else _platform_of(parent, names),
        contents_suffice=_PLATFORM.match(domain) is not None,
    )


def _limit_w(zone: Path) -> float | None:
    """Return the greatest of a zone's limits: stated maximum, and limits in force.

    A processor may exceed the stated maximum where its limits in force are higher; where they are
    switched off, nothing bounds it.
    """
    if _number(zone / "enabled") == 0:
        return None
    files = [path for kind in ("max_power", "power_limit") for path in _files(zone, kind)]
    known = [watts for path in files if (watts := _number(path))]
    return max(known) / 1e6 if known else None


def _files(zone: Path, kind: str) -> Iterator[Path]:
    return zone.glob(f"constraint_*_{kind}_uw")


def _number(path: Path) -> float | None:
    with suppress(OSError, ValueError):
        return float(path.read_text())
    return None
