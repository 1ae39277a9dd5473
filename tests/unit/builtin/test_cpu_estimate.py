"""The CPU estimate: declared, monotonous, and following the load."""

import time

import pytest

from llem.builtin.cpu_estimate import CpuEstimateMeter


def joules(meter):
    (reading,) = meter.read()
    return reading.time_s, reading.value


def test_it_states_its_model_and_its_error():
    probe = CpuEstimateMeter({"cpu_tdp_w": 65.0, "cpu_idle_w": 5.0}).probe()
    assert probe.available
    (channel,) = probe.channels
    assert "5 W idle to 65 W" in channel.note
    assert "as configured" in channel.note
    assert channel.gain_error_ratio == 0.5


def test_assumed_inputs_are_said_to_be_assumed():
    assert "assumed per core" in CpuEstimateMeter({}).probe().reason


def test_power_stays_between_idle_and_full():
    meter = CpuEstimateMeter({"cpu_tdp_w": 65.0, "cpu_idle_w": 5.0})
    before_s, before_j = joules(meter)
    end_s = time.monotonic() + 0.3
    while time.monotonic() < end_s:
        pass
    after_s, after_j = joules(meter)
    watts = (after_j - before_j) / (after_s - before_s)
    assert 5.0 < watts < 65.0 * 1.1


def test_without_any_load_it_shows_the_idle_power(monkeypatch):
    import psutil

    frozen = psutil.cpu_times()
    monkeypatch.setattr(psutil, "cpu_times", lambda: frozen)
    meter = CpuEstimateMeter({"cpu_tdp_w": 65.0, "cpu_idle_w": 5.0})
    before_s, before_j = joules(meter)
    time.sleep(0.1)
    after_s, after_j = joules(meter)
    assert (after_j - before_j) / (after_s - before_s) == pytest.approx(5.0)
