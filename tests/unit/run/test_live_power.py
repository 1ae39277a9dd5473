"""Power while a run lasts: what counts once, and what cannot be told."""

from dataclasses import replace

import pytest

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.run.metering import power_now_w

TIMES_S = [tick / 10 for tick in range(100)]


def series(domain, power_w, *, contained_in=None, until_s=10.0):
    channel = Channel("cpu", domain, Quantity.POWER, contained_in=contained_in)
    times_s = [time_s for time_s in TIMES_S if time_s <= until_s]
    return Series(channel, Provenance.MEASURED, "test", times_s, [power_w] * len(times_s))


def test_domains_are_added_up_and_none_counts_twice():
    parts = [series("package", 30.0), series("core", 20.0, contained_in="package")]
    assert power_now_w(parts, 9.0) == pytest.approx(30)
    assert power_now_w([*parts, series("dram", 5.0)], 9.0) == pytest.approx(35)


def test_one_that_does_not_answer_leaves_the_sum_unknown():
    assert power_now_w([series("package", 30.0), series("dram", 5.0, until_s=5.0)], 9.0) is None
    assert power_now_w([], 9.0) is None


def test_live_power_counts_what_a_stored_outcome_counts():
    package = series("package", 30.0)
    other_meter = replace(series("package", 31.0), meter="other")
    estimate = replace(series("load", 12.0), meter="guess", provenance=Provenance.ESTIMATED)
    assert power_now_w([package, other_meter, estimate], 9.0) == pytest.approx(30)
    assert power_now_w([estimate], 9.0) == pytest.approx(12)
