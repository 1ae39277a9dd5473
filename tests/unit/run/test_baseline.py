"""Idle power kept from one run to the next."""

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.run.baseline import Baselines, is_unchanged


def power(watts, device="cpu"):
    channel = Channel(device, "package", Quantity.POWER, update_period_s=0.1)
    times = [tick / 10 for tick in range(100)]
    return Series(channel, Provenance.MEASURED, "test", times, [watts] * 100)


SPAN = (2.0, 8.0)


def test_a_fresh_idle_power_is_handed_out_with_its_age():
    baselines = Baselines(clock=lambda: 68.0)
    baselines.keep([power(40.0)], SPAN)
    (idle,) = baselines.recent([power(40.0)], 100.0).values()
    assert (round(idle.power_w, 6), idle.age_s) == (40.0, 60.0)


def test_one_that_is_too_old_or_of_another_device_is_not():
    baselines = Baselines(clock=lambda: 68.0)
    baselines.keep([power(40.0)], SPAN)
    assert baselines.recent([power(40.0)], 59.0) is None
    assert baselines.recent([power(40.0), power(40.0, "cuda:GPU-1")], 100.0) is None


def test_nothing_metered_is_nothing_kept():
    baselines = Baselines(clock=lambda: 68.0)
    baselines.keep([power(40.0)], None)
    assert baselines.recent([power(40.0)], 100.0) is None
    assert baselines.recent([], 100.0) is None


def test_a_machine_that_idles_otherwise_is_noticed():
    baselines = Baselines(clock=lambda: 68.0)
    baselines.keep([power(40.0)], SPAN)
    kept = baselines.recent([power(40.0)], 100.0)
    assert is_unchanged(kept, [power(41.0)], SPAN, 0.05)
    assert not is_unchanged(kept, [power(50.0)], SPAN, 0.05)
