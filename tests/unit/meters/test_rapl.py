"""RAPL from a powercap tree of files."""

import pytest

from llem.builtin.meters.rapl import RaplMeter


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
    return {one.domain: one for one in RaplMeter({}, root=powercap.root).open(())}


def test_domains_are_told_apart_and_know_what_contains_them(powercap):
    powercap("intel-rapl:0", "package-0")
    powercap("intel-rapl:0:0", "core")
    powercap("intel-rapl:0:1", "dram")
    powercap("intel-rapl:1", "package-1")
    found = channels(powercap)
    assert {name: one.contained_in for name, one in found.items()} == {
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
    assert {name: one.contained_in for name, one in channels(powercap).items()} == {
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
