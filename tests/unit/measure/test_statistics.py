"""Means, intervals, quantiles, and when to stop."""

import math

import pytest

from llem.api.config import MeasurementConfig, WarmupConfig
from llem.measure.precision import enough, precision, shortcomings
from llem.measure.statistics import quantiles, rate_spread, spread
from llem.measure.steady import is_stable


def test_the_t_interval_of_a_textbook_sample():
    result = spread([9.0, 10.0, 11.0])
    assert (result.mean, result.std, result.n) == (10.0, 1.0, 3)
    half_width = 4.302652729749464 / math.sqrt(3)  # t(0.975, 2)
    assert result.ci95_high == pytest.approx(10 + half_width)
    assert result.ci95_low == pytest.approx(10 - half_width)


def test_one_value_has_no_interval():
    result = spread([5.0])
    assert (result.mean, result.std, result.ci95_low, result.ci95_high) == (5.0, None, None, None)


def test_a_rate_agrees_with_the_total_and_lies_in_its_interval():
    durations = [1.0, 2.0, 1.5]
    result = rate_spread([10, 10, 10], durations)
    assert result.mean == pytest.approx(30 / 4.5)
    assert result.ci95_low < result.mean
    assert result.ci95_high is None or result.ci95_high > result.mean


def test_a_rate_too_scattered_for_an_upper_end_has_none():
    assert rate_spread([1, 1], [0.1, 10.0]).ci95_high is None


def test_quantiles_interpolate():
    result = quantiles([float(value) for value in range(101)])
    assert (result.p50, result.p90, result.p95, result.p99) == (50, 90, 95, 99)
    assert result.mean == 50


CONFIG = MeasurementConfig(
    min_duration_s=10, max_duration_s=100, min_repetitions=3, max_repetitions=50
)


@pytest.mark.parametrize(
    ("durations", "stop"),
    [
        ([], False),
        ([20.0], False),
        ([4.0, 4.0, 4.0], True),
        ([3.0, 3.0, 3.0], False),
        ([4.0, 8.0, 4.0], False),
        ([50.0, 1.0, 50.0], True),
        ([0.001] * 50, True),
    ],
)
def test_repetition_ends_when_minima_and_precision_are_reached_or_a_cap_is(durations, stop):
    assert enough(durations, CONFIG) is stop


def test_what_was_not_reached_is_named():
    assert shortcomings([4.0, 4.0, 4.0], CONFIG) == []
    codes = [reason.code for reason in shortcomings([1.0, 5.0], CONFIG)]
    assert codes == ["window-too-short", "precision-not-reached"]
    assert precision([1.0]) == math.inf


@pytest.mark.parametrize(
    ("durations", "stable"),
    [
        ([], False),
        ([1.0, 1.0], False),
        ([1.0, 1.0, 1.0], True),
        ([9.0, 1.0, 1.02, 0.99], True),
        ([1.0, 1.2, 1.0], False),
    ],
)
def test_warm_up_ends_when_three_repetitions_agree(durations, stable):
    assert is_stable(durations, WarmupConfig()) is stable


def test_no_warm_up_can_be_asked_for():
    assert is_stable([], WarmupConfig(min_repetitions=0, max_repetitions=0))
