"""RAPL from a powercap tree of files."""

import pytest

from llem.api.meters import Provenance, Series
from llem.builtin.rapl import RaplMeter
from llem.energy.compute_energy import compute_energy
from llem.energy.energy_rows import energy_rows


@pytest.fixture
def powercap(tmp_path):
    def zone(name, domain, microjoules=1_000_000, wraps_at=262_143_328_850):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "name").write_text(f"{domain}\n")
        (folder / "energy_uj").write_text(f"{microjoules}\n")
        (folder / "max_energy_range_uj").write_text(f"{wraps_at}\n")
        return folder

    zone.root = tmp_path
    return zone


def channels(powercap):
    return {channel.domain: channel for channel in RaplMeter({}, root=powercap.root).open(())}


def test_domains_are_told_apart_and_know_what_contains_them(powercap):
    powercap("intel-rapl:0", "package-0")
    powercap("intel-rapl:0:0", "core")
    powercap("intel-rapl:0:1", "dram")
    powercap("intel-rapl:1", "package-1")
    found = channels(powercap)
    assert {name: channel.contained_in for name, channel in found.items()} == {
        "package-0": None,
        "package-0/core": "package-0",
        "package-0/dram": None,
        "package-1": None,
    }
    assert found["package-0"].wraps_at_j == pytest.approx(262_143.32885)


def test_the_platform_counter_contains_the_packages(powercap):
    powercap("intel-rapl:0", "package-0")
    powercap("intel-rapl:0:0", "core")
    powercap("intel-rapl:0:1", "dram")
    powercap("intel-rapl:1", "psys")
    assert {name: channel.contained_in for name, channel in channels(powercap).items()} == {
        "package-0": "psys",
        "package-0/core": "package-0",
        "package-0/dram": "psys",
        "psys": None,
    }


def test_the_second_view_of_the_same_counters_is_left_out(powercap):
    powercap("intel-rapl:0", "package-0")
    powercap("intel-rapl-mmio:0", "package-0")
    assert list(channels(powercap)) == ["package-0"]


def test_microjoules_become_joules_and_a_lost_zone_says_so(powercap):
    zone = powercap("intel-rapl:0", "package-0", microjoules=2_500_000)
    meter = RaplMeter({}, root=powercap.root)
    meter.open(())
    assert meter.read()[0].value == pytest.approx(2.5)
    (zone / "energy_uj").unlink()
    (lost,) = meter.read()
    assert lost.value is None
    assert "energy_uj" in lost.error


def test_counters_that_wrap_are_counted_on_and_nothing_is_counted_twice(powercap):
    """Ten seconds in which the package uses 50 W, its cores 30 W, and the memory 10 W."""
    power_w = {"intel-rapl:0": 50, "intel-rapl:0:0": 30, "intel-rapl:0:1": 10}
    wraps_at = 262_143_328  # a thousandth of a real one's
    names = ("package-0", "core", "dram")
    zones = [
        (powercap(zone, name, wraps_at=wraps_at), power_w[zone])
        for zone, name in zip(power_w, names, strict=True)
    ]
    meter = RaplMeter({}, root=powercap.root)
    channels = meter.open(())
    times_s = [step / 10 for step in range(121)]
    readings = []
    for time_s in times_s:
        for zone, watts in zones:
            microjoules = (wraps_at - 200_000_000 + round(watts * time_s * 1e6)) % wraps_at
            (zone / "energy_uj").write_text(f"{microjoules}\n")
        readings.append([reading.value for reading in meter.read()])
    series = [
        Series(channel, Provenance.MEASURED, "rapl", times_s, list(values))
        for channel, values in zip(channels, zip(*readings, strict=True), strict=True)
    ]
    energy, reasons = compute_energy(energy_rows(series, [(1.0, 11.0)]))
    found = {row.domain: (row.gross_j, row.counted_in_total) for row in energy.devices}
    assert found == {
        "package-0": (pytest.approx(500, rel=1e-3), True),
        "package-0/core": (pytest.approx(300, rel=1e-3), False),
        "package-0/dram": (pytest.approx(100, rel=1e-3), True),
    }
    assert energy.gross_j == pytest.approx(600, rel=1e-3)
    assert "counter-reset" not in [reason.code for reason in reasons]


@pytest.mark.parametrize(
    ("files", "limit_w"),
    [
        ({}, None),
        ({"constraint_0_max_power_uw": 0}, None),
        ({"constraint_0_max_power_uw": 125_000_000}, 125),
        (
            {"constraint_0_max_power_uw": 125_000_000, "constraint_1_power_limit_uw": 253_000_000},
            253,
        ),
        ({"constraint_0_max_power_uw": 125_000_000, "enabled": 0}, None),
    ],
)
def test_a_zone_may_draw_what_its_limits_in_force_allow(powercap, files, limit_w):
    zone = powercap("intel-rapl:0", "package-0")
    for name, value in files.items():
        (zone / name).write_text(f"{value}\n")
    assert channels(powercap)["package-0"].max_w == limit_w


def test_no_zone_is_explained(powercap):
    probe = RaplMeter({}, root=powercap.root).probe()
    assert not probe.available
    assert "no RAPL zone" in probe.reason


def test_a_refused_permission_gives_the_remedy(powercap, monkeypatch):
    zone = powercap("intel-rapl:0", "package-0")
    original = type(zone).read_text

    def read_text(path, *arguments, **options):
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, *arguments, **options)

    # Tests may run as root, whom no permission bit stops.
    monkeypatch.setattr(type(zone), "read_text", read_text)
    probe = RaplMeter({}, root=powercap.root).probe()
    assert not probe.available
    assert "sudo chmod a+r /sys/class/powercap/*/energy_uj" in probe.reason
