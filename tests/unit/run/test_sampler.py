"""Sampling keeps its period, survives failing reads, and knows what came from where."""

import itertools
import time
from dataclasses import replace

import pytest

from llem.api.meters import Channel, Meter, Probe, Provenance, Quantity, Reading
from llem.run.sampler import Reader, Sampler, Source, next_period_s

CHANNEL = Channel("cpu", "package", Quantity.POWER)


class CountingMeter(Meter):
    """Answers 0, 1, 2 …, fails every fifth time, and can be slow."""

    def __init__(self, slow_s=0.0):
        super().__init__({})
        self._slow_s = slow_s
        self._numbers = itertools.count()

    def probe(self):
        return Probe(available=True)

    def open(self, devices):
        return (CHANNEL,)

    def read(self):
        time.sleep(self._slow_s)
        number = next(self._numbers)
        value = None if number % 5 == 4 else float(number)
        return (Reading(0, time.monotonic(), value),)


def sampled(meter, period_s, duration_s):
    sampler = Sampler([Source("test", Provenance.MEASURED, meter, (CHANNEL,))], period_s=period_s)
    sampler.start()
    time.sleep(duration_s)
    sampler.stop()
    sampler.stop()
    (series,) = sampler.series()
    return series


def test_values_and_failures_are_kept_apart_and_in_order():
    series = sampled(CountingMeter(), 0.01, 0.3)
    assert len(series.times_s) == len(series.values) > 10
    assert series.times_s == sorted(series.times_s)
    assert series.failures
    assert all(value % 5 != 4 for value in series.values)
    assert series.meter == "test"


def test_a_slow_meter_skips_what_it_missed_instead_of_catching_up():
    series = sampled(CountingMeter(slow_s=0.05), 0.01, 0.5)
    assert len(series.times_s) + len(series.failures) <= 14


def test_stopping_reads_once_more():
    assert len(sampled(CountingMeter(), 60, 0.0).times_s) == 2


@pytest.mark.parametrize(
    ("channel", "settle_s", "before_stop_s"),
    [
        pytest.param(CHANNEL, 0.2, 0.2, id="unknown update period"),
        pytest.param(replace(CHANNEL, update_period_s=0.01), 0.22, 0.02, id="renewed quickly"),
        pytest.param(replace(CHANNEL, averaged_over_s=1.0), 1.2, 1.2, id="an average"),
    ],
)
def test_the_reading_of_the_stop_need_not_be_waited_for(channel, settle_s, before_stop_s):
    source = Source("test", Provenance.MEASURED, CountingMeter(), (channel,))
    sampler = Sampler([source], period_s=0.1)
    assert sampler.settle_s == pytest.approx(settle_s)
    assert sampler.settle_before_stop_s == pytest.approx(before_stop_s)


def test_without_a_source_nothing_happens():
    sampler = Sampler([], period_s=0.01)
    sampler.start()
    sampler.stop()
    assert sampler.series() == []


def test_a_slow_meter_delays_no_other_meter():
    slow = Source("slow", Provenance.MEASURED, CountingMeter(slow_s=0.3), (CHANNEL,))
    quick = Source("quick", Provenance.MEASURED, CountingMeter(), (CHANNEL,))
    sampler = Sampler([slow, quick], period_s=0.01)
    sampler.start()
    time.sleep(0.5)
    assert sampler.stop() == []
    of_slow, of_quick = sampler.series()
    assert len(of_quick.times_s) > 3 * len(of_slow.times_s)


def test_one_reading_falls_into_each_period():
    series = sampled(CountingMeter(), 0.05, 1.0)
    readings = sorted(series.times_s + series.failures)
    assert 0.8 * 20 <= len(readings) <= 1.2 * 20 + 2


def test_the_period_follows_the_meters_updates():
    channel = Channel("gpu", "board", Quantity.ENERGY, update_period_s=0.2)
    source = Source("test", Provenance.MEASURED, CountingMeter(), (channel,))
    assert Reader(source, None).period_s == pytest.approx(0.1)
    assert Reader(source, 0.03).period_s == 0.03


@pytest.mark.parametrize(
    ("new_ratio", "cpu_per_read_s", "expected_s"),
    [
        pytest.param(0.9, 0.0, 0.05 / 1.5, id="renewed more often than stated"),
        pytest.param(0.5, 0.0, 0.05, id="read often enough"),
        pytest.param(0.2, 0.0, 0.05 * 1.25, id="renewed less often than stated"),
        pytest.param(0.5, 0.001, 0.055, id="dear, and its renewals must still show"),
        pytest.param(None, 0.001, 0.25, id="dear, and it shows no renewals"),
    ],
)
def test_the_period_follows_what_is_seen_and_what_it_costs(new_ratio, cpu_per_read_s, expected_s):
    period_s = next_period_s(
        0.05, cpu_per_read_s=cpu_per_read_s, new_ratio=new_ratio, update_period_s=0.1
    )
    assert period_s == pytest.approx(expected_s)
