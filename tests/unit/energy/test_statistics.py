"""Means, intervals and quantiles."""

import math

import pytest

from llem.energy.statistics import quantiles, rate_spread, spread


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
