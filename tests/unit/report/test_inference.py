"""Effects and their intervals, against known answers and against another library."""

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.report.comparison.inference import (
    Effect,
    bootstrap_interval,
    effect,
    holm,
    power_of,
    repetitions_needed,
    smallest_detectable,
)

POSITIVE = st.floats(min_value=0.1, max_value=1e6)
SAMPLE = st.lists(POSITIVE, min_size=2, max_size=12)


def test_a_single_value_has_no_interval():
    found = effect([1.0], [1.1], paired=False, relative=True)
    assert found.interval().estimate == pytest.approx(0.1)
    assert found.interval().low is None
    assert found.p is None
    assert smallest_detectable(found, 0.05) is None


def test_a_paired_effect_does_not_see_what_both_sides_share():
    base = [1.0, 2.0, 4.0, 8.0]
    new = [value * factor for value, factor in zip(base, [1.10, 1.11, 1.09, 1.10], strict=True)]
    paired = effect(base, new, paired=True, relative=True).interval()
    apart = effect(base, new, paired=False, relative=True).interval()
    assert paired.low > 0.08
    assert apart.low < 0 < apart.high


def test_values_that_do_not_vary_are_what_they_are():
    found = effect([100.0] * 3, [110.0] * 3, paired=False, relative=True)
    assert (found.interval().low, found.interval().high) == pytest.approx((0.1, 0.1))
    assert found.p == 0
    same = effect([100.0] * 3, [100.0] * 3, paired=False, relative=True)
    assert same.p == 1
    assert smallest_detectable(same, 0.05) == 0


@given(SAMPLE, SAMPLE)
def test_swapping_the_sides_inverts_the_change(base, new):
    there = effect(base, new, paired=False, relative=True)
    back = effect(new, base, paired=False, relative=True)
    assert back.estimate == pytest.approx(-there.estimate, abs=1e-9)
    assert back.p == pytest.approx(there.p, abs=1e-6)


@given(SAMPLE, SAMPLE, st.floats(min_value=1e-3, max_value=1e3))
def test_a_change_has_no_unit(base, new, scale):
    first = effect(base, new, paired=False, relative=True)
    other = effect([scale * v for v in base], [scale * v for v in new], paired=False, relative=True)
    assert other.estimate == pytest.approx(first.estimate, abs=1e-9)
    assert other.p == pytest.approx(first.p, abs=1e-5)


@given(SAMPLE, SAMPLE, st.floats(min_value=1e-4, max_value=1))
def test_gain_errors_never_narrow_an_interval(base, new, gain):
    found = effect(base, new, paired=False, relative=True)
    wider = found.widened(gain, gain)
    assert wider.standard_error >= found.standard_error
    assert wider.estimate == found.estimate


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=12))
def test_holm_agrees_with_statsmodels(probabilities):
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="needs statsmodels")
    with patch("gc.collect"):  # which statsmodels calls each time, and takes a tenth of a second
        expected = multitest.multipletests(probabilities, method="holm")[1]
    assert holm(probabilities) == pytest.approx(list(expected))


@pytest.mark.parametrize("ratio", [0.2, 1.0, 1.6])
@pytest.mark.parametrize("n", [3, 8, 30])
def test_power_agrees_with_statsmodels(n, ratio):
    power = pytest.importorskip("statsmodels.stats.power", reason="needs statsmodels")
    expected = power.TTestIndPower().power(ratio, n, alpha=0.05)
    found = power_of(ratio, math.sqrt(2 / n), 2 * n - 2, 0.05)
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_smallest_detectable_effect_is_found_four_times_out_of_five():
    random, spread, n = np.random.default_rng(4), 0.02, 8
    standard_error = spread * math.sqrt(2 / n)
    ratio = smallest_detectable(Effect(0.0, standard_error, 2 * n - 2, True), 0.05)
    hits = 0
    for _ in range(800):
        base = np.exp(random.normal(0, spread, n))
        new = np.exp(random.normal(math.log1p(ratio), spread, n))
        hits += effect(base, new, paired=False, relative=True).p < 0.05
    assert hits / 800 == pytest.approx(0.8, abs=0.04)


def test_as_many_repetitions_as_needed_find_the_wanted_change():
    base = [0.98, 1.02, 0.97, 1.03, 1.0]
    needed = repetitions_needed(base, base, 0.02, paired=False, alpha=0.05)
    deviation = np.std(np.log(base), ddof=1)

    def power(n):
        return power_of(math.log(1.02), deviation * math.sqrt(2 / n), 2 * n - 2, 0.05)

    assert power(needed) >= 0.8 > power(needed - 1)


def test_no_number_of_repetitions_beats_a_gain_error():
    base = [0.98, 1.02, 0.97, 1.03, 1.0]
    wanted = {"paired": False, "alpha": 0.05, "gain_error": 0.05}
    assert repetitions_needed(base, base, 0.02, **wanted) is None


def test_the_bootstrap_agrees_with_t_where_values_are_many():
    random = np.random.default_rng(5)
    base, new = np.exp(random.normal(0, 0.05, 60)), np.exp(random.normal(0.1, 0.05, 60))
    t = effect(base, new, paired=False, relative=True).interval()
    bootstrap = bootstrap_interval(base, new, paired=False, relative=True)
    assert bootstrap.low == pytest.approx(t.low, abs=0.005)
    assert bootstrap.high == pytest.approx(t.high, abs=0.005)


def test_few_values_are_not_bootstrapped():
    assert bootstrap_interval([1.0, 1.1], [1.0, 1.2], paired=False, relative=True) is None
