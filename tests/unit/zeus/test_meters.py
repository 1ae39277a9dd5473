"""The meters of llem-zeus are found, chosen and read like core's own."""

import pytest

from ...nvml_simulator.simulator import GPU_IS_LOST
from ...nvml_simulator.waveform import Waveform

AMD = {"SIMULATED_AMD": "1"}


@pytest.fixture
def gpus(simulated_gpus):
    return simulated_gpus(Waveform.constant(250), Waveform.constant(90))


def listed(llem, **env):
    return {meter["name"]: meter for meter in llem("meters", "--json", **env)}


def test_every_meter_is_listed_and_says_what_is_missing_here(llem):
    found = {name: meter for name, meter in listed(llem).items() if meter["plugin"] == "zeus"}
    assert set(found) == {"zeus-amd", "zeus-apple", "zeus-jetson", "zeus-nvidia"}
    assert not any(meter["available"] for meter in found.values())
    assert "libamd_smi.so" in found["zeus-amd"]["reason"]
    assert "llem-zeus[apple]" in found["zeus-apple"]["reason"]
    assert llem.stderr == ""  # Zeus's own remarks about missing libraries stay out


def test_a_listing_shows_the_devices_it_finds(llem, gpus):
    found = listed(llem, **AMD, **gpus.environ)
    assert [channel["device"] for channel in found["zeus-amd"]["channels"]] == [
        "rocm:0000-0",
        "rocm:0000-1",
    ]
    assert [channel["device"] for channel in found["zeus-nvidia"]["channels"]] == [
        gpus.device(0),
        gpus.device(1),
    ]


def test_amd_gpus_are_measured_by_counter_or_power(llem):
    document = llem("meter", "--json", "--meters", "zeus-amd", "--", "sleep", "2", **AMD)
    duration_s = document["window"]["duration_s"]
    first, second = document["energy"]["devices"]
    assert (first["method"], second["method"]) == ("energy counter", "instantaneous power")
    assert first["gross_j"] == pytest.approx(300 * duration_s, rel=0.02)
    assert second["gross_j"] == pytest.approx(120 * duration_s, rel=0.02)


def test_amd_gpus_are_taken_by_themselves_where_they_are(llem):
    document = llem("meter", "--json", "--", "sleep", "1", **AMD)
    meters = {row["meter"] for row in document["energy"]["devices"]}
    assert "zeus-amd" in meters
    assert "zeus-nvidia" not in meters


def test_zeus_and_llem_read_the_same_device_alike(llem, gpus):
    environ = gpus.environ
    mine = llem("meter", "--json", "--meters", "nvml", "--", "sleep", "3", **environ)
    theirs = llem("meter", "--json", "--meters", "zeus-nvidia", "--", "sleep", "3", **environ)
    for row, other in zip(mine["energy"]["devices"], theirs["energy"]["devices"], strict=True):
        assert row["device"] == other["device"]
        assert row["mean_w"] == pytest.approx(other["mean_w"], rel=0.05)


def test_a_gpu_that_is_lost_is_flagged(llem, gpus):
    command = gpus.command_meeting(f"error 0 * {GPU_IS_LOST} {{now}} inf", 1.5, 1.5)
    document = llem("meter", "--json", "--meters", "zeus-nvidia", "--", *command, **gpus.environ)
    lost, well = document["energy"]["devices"]
    assert lost["gross_j"] is None
    assert well["gross_j"] == pytest.approx(90 * document["window"]["duration_s"], rel=0.05)
    assert document["verdict"]["valid"] is False
    assert any(gpus.device(0) in reason["message"] for reason in document["verdict"]["reasons"])
