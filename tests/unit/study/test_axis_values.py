"""Ranges are the lists they stand for."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.study.axes import RangeRefused, axis_values, is_range

ENDS = st.integers(1, 10_000) | st.floats(1e-3, 1e6)


def test_the_three_kinds_of_range():
    assert axis_values({"from": 0.0, "to": 1.0, "num": 5}) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert axis_values({"from": 8, "to": 32, "num": 4}) == [8, 16, 24, 32]
    assert axis_values({"log": {"from": 1, "to": 1000, "num": 4}}) == [1, 10, 100, 1000]
    assert axis_values({"pow2": {"from": 1, "to": 64}}) == [1, 2, 4, 8, 16, 32, 64]
    assert axis_values({"pow2": {"from": 3, "to": 20}}) == [4, 8, 16]
    assert axis_values({"pow2": {"from": 0.25, "to": 2}}) == [0.25, 0.5, 1, 2]


def test_whole_numbers_stay_integers():
    values = axis_values({"log": {"from": 1, "to": 100, "num": 3}})
    assert [type(value) for value in values] == [int, int, int]
    assert {type(value) for value in axis_values({"pow2": {"from": 1, "to": 8}})} == {int}


@given(ENDS, ENDS, st.integers(2, 200))
def test_a_range_has_both_ends_and_even_steps(low, high, number):
    even = axis_values({"from": low, "to": high, "num": number})
    assert (even[0], even[-1], len(even)) == (low, high, number)
    steps = [b - a for a, b in pairwise(even)]
    assert all(math.isclose(step, steps[0], rel_tol=1e-5, abs_tol=1e-3) for step in steps)
    ratios = axis_values({"log": {"from": low, "to": high, "num": number}})
    assert (ratios[0], ratios[-1], len(ratios)) == (low, high, number)
    assert ratios == sorted(ratios, reverse=low > high)


def test_a_range_has_no_dust_of_rounding():
    """Each value is the decimal number that a reader computes."""
    tenths = axis_values({"from": 0.1, "to": 1, "num": 10})
    assert tenths == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert axis_values({"log": {"from": 0.001, "to": 1, "num": 4}}) == [0.001, 0.01, 0.1, 1]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "no values"),
        (3, "an axis is a list"),
        ({"from": 1, "to": 2}, "exactly the keys from, num, to"),
        ({"from": 1, "to": 2, "num": 0}, "num must be a whole number"),
        ({"from": 1, "to": 2, "num": 1}, "cannot include both ends"),
        ({"from": "a", "to": 2, "num": 3}, "from must be a number"),
        ({"from": True, "to": 2, "num": 3}, "from must be a number"),
        ({"log": {"from": 0, "to": 2, "num": 3}}, "above 0"),
        ({"log": [1, 2]}, "exactly the keys"),
        ({"pow2": {"from": 8, "to": 1}}, "the lower one first"),
        ({"pow2": {"from": 5, "to": 7}}, "no values"),
    ],
)
def test_what_is_no_axis_is_refused(value, problem):
    with pytest.raises(RangeRefused, match=problem):
        axis_values(value)


def test_ranges_and_sections_are_told_apart():
    assert is_range({"pow2": {"from": 1, "to": 2}})
    assert is_range({"from": 1})
    assert not is_range({"batch_size": [1, 2]})
    assert not is_range([1, 2])
