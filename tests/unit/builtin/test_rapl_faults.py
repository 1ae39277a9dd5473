"""Powercap trees as firmware makes them: no valid figure is more than 2 % from the truth."""

import math
from dataclasses import dataclass

import pytest

from llem.api.meters import Provenance, Series
from llem.builtin.rapl import RaplMeter
from llem.energy.compute_energy import compute_energy
from llem.energy.energy_rows import energy_rows
from llem.energy.precision import too_uncertain
from llem.schema.measurement import MeasurementConfig
from llem.schema.reason_codes import decide_verdict

WRAPS_AT_UJ = 262_143_328_850
WINDOW = (2.0, 12.0)
STOPS_AT_S = 7.0


@dataclass(frozen=True)
class Zone:
    """A zone of the tree: its place, its name, its true power and its fault."""

    place: str
    name: str
    watts: float
    factor: float = 1.0
    fault: str = ""
    limit_w: float = 0.0
    range_uj: int = WRAPS_AT_UJ
    start_uj: int = 1_000_000_000

    def make(self, root):
        folder = root / self.place
        folder.mkdir()
        (folder / "name").write_text(f"{self.name}\n")
        (folder / "max_energy_range_uj").write_text(f"{self.range_uj}\n")
        (folder / "constraint_0_max_power_uw").write_text(f"{round(self.limit_w * 1e6)}\n")

    def write(self, root, time_s):
        file = root / self.place / "energy_uj"
        if self.fault == "unreadable" or (self.fault == "fails" and time_s > STOPS_AT_S):
            if not file.is_dir():
                file.unlink(missing_ok=True)
                file.mkdir()  # reading a folder fails for root, too
            return
        until_s = min(time_s, STOPS_AT_S) if self.fault == "stops" else time_s
        energy_uj = self.start_uj + round(self.watts * self.factor * until_s * 1e6)
        if self.fault == "garbage" and 5.9 < time_s < 6.1:
            energy_uj = 0
        file.write_text(f"{energy_uj % self.range_uj if self.range_uj else energy_uj}\n")


def judged(root, zones):
    """Return the verdict, all codes and the energy of ten seconds."""
    for zone in zones:
        zone.make(root)
        zone.write(root, 0.0)
    meter = RaplMeter({}, root=root)
    channels = meter.open(())
    series = [Series(channel, Provenance.MEASURED, "rapl") for channel in channels]
    for step in range(66):
        time_s = step / 5
        for zone in zones:
            zone.write(root, time_s)
        for reading in meter.read():
            known = series[reading.channel]
            if reading.value is None:
                known.failures.append(time_s)
            else:
                known.times_s.append(time_s)
                known.values.append(reading.value)
    energy, reasons = compute_energy(energy_rows(series, [WINDOW]))
    reasons += too_uncertain(energy, MeasurementConfig().target_ci_ratio)
    verdict, warnings = decide_verdict(reasons)
    return verdict, {reason.code for reason in (*verdict.reasons, *warnings)}, energy


def server(*others, **first):
    """Return two packages with memory and cores, 100 + 20 and 110 + 22 W, and other zones."""
    return [
        Zone("intel-rapl:0", "package-0", 100, **first),
        Zone("intel-rapl:0:0", "dram", 20),
        Zone("intel-rapl:0:1", "core", 70),
        Zone("intel-rapl:1", "package-1", 110),
        Zone("intel-rapl:1:0", "dram", 22),
        *others,
    ]


PACKAGES_W = 252.0
TREES = {
    "packages and memory": (server(), PACKAGES_W),
    "psys": (server(Zone("intel-rapl:2", "psys", 400)), 400),
    "psys-1": (server(Zone("intel-rapl:2", "psys-1", 400)), 400),
    "psys-0": (server(Zone("intel-rapl:2", "psys-0", 400)), 400),
    "psys and psys-1": (
        server(Zone("intel-rapl:2", "psys", 150), Zone("intel-rapl:3", "psys-1", 160)),
        310,
    ),
    "psys of 0 W": (server(Zone("intel-rapl:2", "psys", 0)), PACKAGES_W),
    "psys below its packages": (server(Zone("intel-rapl:2", "psys", 3)), PACKAGES_W),
    "psys of half": (server(Zone("intel-rapl:2", "psys", 400, factor=0.5)), PACKAGES_W),
    "psys beyond reason": (server(Zone("intel-rapl:2", "psys", 400, factor=1000)), PACKAGES_W),
    "psys unreadable": (server(Zone("intel-rapl:2", "psys", 400, fault="unreadable")), PACKAGES_W),
    "psys that fails": (server(Zone("intel-rapl:2", "psys", 400, fault="fails")), PACKAGES_W),
    "psys that stops": (server(Zone("intel-rapl:2", "psys", 400, fault="stops")), PACKAGES_W),
    "two psys, one of 0 W": (
        server(Zone("intel-rapl:2", "psys", 150), Zone("intel-rapl:3", "psys-1", 0)),
        150 + 132,
    ),
    "package within psys unreadable": (
        server(Zone("intel-rapl:2", "psys", 400), fault="unreadable"),
        400,
    ),
    "core unreadable": (server(Zone("intel-rapl:1:1", "core", 0, fault="unreadable")), PACKAGES_W),
    "graphics at rest": (server(Zone("intel-rapl:1:1", "uncore", 0)), PACKAGES_W),
    "counters again in mmio": (server(Zone("intel-rapl-mmio:0", "package-0", 100)), PACKAGES_W),
    "mmio alone": ([Zone("intel-rapl-mmio:0", "package-0", 100)], 100),
    "two dies": (
        [
            Zone("intel-rapl:0", "package-0-die-0", 60),
            Zone("intel-rapl:1", "package-0-die-1", 50),
            Zone("intel-rapl:2", "package-1-die-0", 40),
            Zone("intel-rapl:3", "psys", 100),
        ],
        150,
    ),
    "two sockets of one name": (
        [Zone("intel-rapl:0", "package-0", 60), Zone("intel-rapl:1", "package-0", 50)],
        110,
    ),
    "no range": (server(range_uj=0), PACKAGES_W),
    "a wrap": (server(start_uj=WRAPS_AT_UJ - 500_000_000), PACKAGES_W),
    "a garbage reading": (server(fault="garbage"), PACKAGES_W),
}


@pytest.mark.parametrize("case", TREES)
def test_a_tree_has_one_right_total(tmp_path, case):
    zones, watts = TREES[case]
    verdict, codes, energy = judged(tmp_path, zones)
    assert verdict.valid, codes
    assert energy.gross_j == pytest.approx(10 * watts, rel=0.005)


@pytest.mark.parametrize(
    "case", [name for name in TREES if name.startswith(("psys ", "two psys")) and "and" not in name]
)
def test_a_broken_platform_is_said(tmp_path, case):
    _, codes, _ = judged(tmp_path, TREES[case][0])
    assert "domain-ignored" in codes


WRONG = {
    "package unreadable": server(fault="unreadable"),
    "package that fails": server(fault="fails"),
    "package that stops": server(fault="stops"),
    "package of half, below its cores": server(factor=0.5),
    "package beyond its limit": server(factor=2, limit_w=150),
    "package beyond reason": server(factor=1000),
    "package and psys unreadable": server(
        Zone("intel-rapl:2", "psys", 400, fault="unreadable"), fault="unreadable"
    ),
    "memory unreadable": [
        Zone("intel-rapl:0", "package-0", 100),
        Zone("intel-rapl:0:0", "dram", 20, fault="unreadable"),
    ],
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_or_missing_part_makes_no_valid_total(tmp_path, case):
    zones = WRONG[case]
    verdict, codes, energy = judged(tmp_path, zones)
    assert not verdict.valid, (codes, energy.gross_j)
    readable = [zone for zone in zones if not zone.fault and zone.factor == 1]
    rows = {row.domain: row.gross_j for row in energy.devices}
    for zone in readable:
        known = [j for name, j in rows.items() if name.split("/")[-1] == zone.name and j]
        assert any(math.isclose(j, 10 * zone.watts, rel_tol=0.005) for j in known), zone
