"""What other programs do to a CPU's energy, and meters that are here and cannot be used."""

import sys
import time

import psutil
import pytest

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.energy.energy_rows import energy_rows
from llem.run.metering import CpuTime, choose_meters, load_reasons, of_used_devices, unused
from llem.schema.measurement import MeasurementConfig, ThresholdsConfig

METERS = """
from llem.api.hookspecs import hookimpl
from llem.api.meters import Channel, Meter, MeterSpec, MeterUnusable, Provenance, Quantity

class Estimate(Meter):
    def open(self, devices):
        return (Channel("cpu", "package", Quantity.POWER),)
    def read(self):
        return ()

class Locked(Meter):
    def open(self, devices):
        raise PermissionError(13, "only root may read it: sudo chmod a+r counter")
    def read(self):
        return ()

class Dead(Meter):
    def open(self, devices):
        raise MeterUnusable("the GPU is lost")
    def read(self):
        return ()

class Absent(Meter):
    def open(self, devices):
        raise OSError("no such device")
    def read(self):
        return ()

@hookimpl
def llem_meters():
    def spec(name, kind, made_by, **more):
        factory = f"{__name__}.{made_by.__name__}"
        return MeterSpec(name, "A meter", Provenance.MEASURED, factory, kind, **more)
    return (
        spec("estimate", "cpu", Estimate, fallback=True),
        spec("locked", "cpu", Locked),
        spec("dead", "cuda", Dead),
        spec("absent", "rocm", Absent),
    )
"""


def row(device, **channel):
    described = Channel(device, "package", Quantity.POWER, **channel)
    times_s = [tick / 10 for tick in range(100)]
    series = Series(described, Provenance.MEASURED, "test", times_s, [50.0] * 100)
    return energy_rows([series], [(2, 8)]).counted


def codes(loads, rows, **thresholds):
    return [reason.code for reason in load_reasons(loads, rows, ThresholdsConfig(**thresholds))]


def test_processor_time_of_others_is_what_is_left_of_all():
    before, later = CpuTime(100, 50, 5), CpuTime(120, 61, 12)
    assert before.foreign_ratio(later) == pytest.approx(0.2, abs=0.01)
    # What llem and its worker do is no load of others.
    assert before.foreign_ratio(CpuTime(120, 61, 16)) == 0


@pytest.mark.parametrize("device", ["cpu", "cpu:jetson", "host:wall"])
def test_a_busy_processor_speaks_against_its_energy(device):
    assert codes({"windows": 0.5, "bare idle": 0.01}, row(device)) == ["foreign-load"]
    assert codes({"windows": 0.01, "bare idle": 0.9}, row(device)) == ["foreign-load"]
    assert codes({"windows": 0.04, "bare idle": 0.01}, row(device)) == []
    assert codes({"windows": 0.5}, row(device), max_foreign_load_ratio=0.6) == []


def test_it_says_nothing_of_a_gpu_unless_its_counter_covers_the_processor():
    assert codes({"windows": 0.5}, row("cuda:GPU-a")) == []
    assert codes({"windows": 0.5}, row("cuda:GPU-a", covers=("cpu",))) == ["foreign-load"]


def test_a_process_of_another_is_seen_and_an_own_one_is_not():
    process = psutil.Popen([sys.executable, "-c", "while True: pass"])
    try:
        as_own, as_other = CpuTime.now([process.pid]), CpuTime.now()
        time.sleep(1.5)
        own = as_own.foreign_ratio(CpuTime.now([process.pid]))
        other = as_other.foreign_ratio(CpuTime.now())
    finally:
        process.kill()
        process.wait()
    # Other programs of this machine are in both figures.
    assert other > own


def test_a_better_meter_that_is_here_and_does_not_work_is_named_with_its_remedy(environment):
    environment.install("llem-meters", {"lockers": METERS})
    chosen = choose_meters(environment.registry(), MeasurementConfig())
    assert [spec.name for spec, _ in chosen.meters] == ["estimate"]
    (warning,) = chosen.warnings
    assert warning.code == "meter-unusable"
    assert "locked" in warning.message
    assert "sudo chmod a+r counter" in warning.message
    assert list(chosen.unmetered) == ["cuda"]
    assert "the GPU is lost" in chosen.unmetered["cuda"]


def test_a_choice_of_the_user_is_not_questioned(environment):
    environment.install("llem-meters", {"lockers": METERS})
    chosen = choose_meters(environment.registry(), MeasurementConfig(meters=("estimate",)))
    assert (chosen.warnings, chosen.unmetered) == ([], {})


def test_an_outlet_is_part_of_the_host_and_an_accelerator_is_not():
    series = [
        Series(Channel(device, "wall", Quantity.POWER), Provenance.MEASURED, meter)
        for device, meter in (("pdu1", "trace"), ("cuda:GPU-a", "trace"), ("cuda:GPU-b", "nvml"))
    ]
    assert [kept.channel.device for kept in of_used_devices(series, ["cpu"])] == ["pdu1"]
    assert unused(series, ["cpu"], ["trace"]) == ["cuda:GPU-a"]
