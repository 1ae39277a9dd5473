"""Energy of one channel over one window: known answers, and laws for any readings."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.energy.integrate import energy_in, integrate
from llem.energy.plausibility import checked


def power(*points):
    channel = Channel("cpu", "package", Quantity.POWER)
    times, values = zip(*points, strict=True)
    return Series(channel, Provenance.MEASURED, "test", list(times), list(values))


def counter(*points, wraps_at_j=None):
    channel = Channel("cpu", "package", Quantity.ENERGY, wraps_at_j=wraps_at_j)
    times, values = zip(*points, strict=True)
    return Series(channel, Provenance.MEASURED, "test", list(times), list(values))


@pytest.mark.parametrize(
    ("series", "window", "expected_j"),
    [
        (power((0, 100), (0.1, 100), (0.2, 100)), (0, 0.2), 20),
        (power((0, 0), (1, 100)), (0, 1), 50),
        (power((0, 50), (5, 50), (5.000001, 200), (20, 200)), (5, 15), 2000),
        (power(*((s, 70) for s in range(6))), (0, 5), 350),
        (power((0, 0), (1, 100)), (0.25, 0.75), 25),
        (counter((0, 1000), (1, 1100), (2, 1200)), (0.5, 1.5), 100),
        (counter((0, 1000), (2, 1200)), (0.5, 1.5), 100),
    ],
)
def test_known_answers(series, window, expected_j):
    assert energy_in(series, *window) == pytest.approx(expected_j, rel=1e-4)


@pytest.mark.parametrize(
    ("series", "window"),
    [
        (power((0, 100)), (0, 1)),
        (power((0, 100), (1, 100)), (0.5, 1.5)),
        (power((0, 100), (1, 100)), (-0.5, 0.5)),
        (power((0, 100), (1, 100)), (0.5, 0.5)),
        (counter((0, 100)), (0, 0)),
    ],
)
def test_what_the_readings_do_not_cover_is_unavailable_and_never_zero(series, window):
    assert energy_in(series, *window) is None


def test_a_counter_that_wraps_goes_on():
    series = counter((0, 90), (1, 98), (2, 6), (3, 14), wraps_at_j=100)
    assert energy_in(series, 0, 3) == pytest.approx(24)


def test_a_counter_that_goes_back_is_flagged_and_gives_no_figure():
    result = integrate(counter((0, 90), (1, 98), (2, 6), (3, 9)), [(0, 3)])
    assert result.reset
    assert result.energy_j is None


def test_windows_before_and_after_a_reset_are_known():
    points = [(s, 10.0 * s) for s in range(10)] + [(s, 10.0 * (s - 10)) for s in range(10, 20)]
    result = integrate(counter(*points), [(1, 4), (8, 12), (13, 16)])
    assert result.window_j == (pytest.approx(30), None, pytest.approx(30))
    assert result.reset
    assert result.energy_j is None


def test_a_counter_that_stands_still_is_not_zero_joules():
    result = integrate(checked(counter(*((s / 10, 5.0) for s in range(300)))), [(5, 25)])
    assert result.stood_s == pytest.approx(29.9)
    assert result.energy_j is None


def test_a_gap_in_power_is_bridged_and_counted():
    points = [(s / 10, 100.0) for s in range(100) if not 30 <= s < 60]
    assert energy_in(power(*points), 1, 9) == pytest.approx(800)
    assert integrate(power(*points), [(1, 4), (5, 9)]).gap_s == pytest.approx(2.1)


def test_what_did_not_answer_in_the_windows_is_counted():
    series = power(*((s / 10, 100.0) for s in range(100)))
    series.failures = [0.55, 2.05, 3.05, 8.05]
    assert integrate(series, [(1, 4), (5, 7)]).missed == 2


moments = st.lists(
    st.floats(0, 100, allow_nan=False).map(lambda t: round(t, 3)),
    min_size=4,
    max_size=40,
    unique=True,
).map(sorted)


@given(moments, st.floats(-5, 5), st.floats(0, 500), st.data())
def test_linear_power_is_exact_for_any_sampling(times, slope, offset, data):
    def watts(t):
        return offset + 500 + slope * t

    start, end = sorted(data.draw(st.tuples(*[st.floats(times[0], times[-1])] * 2)))
    series = power(*((t, watts(t)) for t in times))
    result = energy_in(series, start, end)
    if end > start:
        exact = (watts(start) + watts(end)) / 2 * (end - start)
        assert result == pytest.approx(exact, rel=1e-9, abs=1e-9)
    else:
        assert result is None


@given(moments, st.data())
def test_adjacent_windows_add_up(times, data):
    values = data.draw(st.lists(st.floats(0, 1000), min_size=len(times), max_size=len(times)))
    start, middle, end = sorted(data.draw(st.tuples(*[st.floats(times[0], times[-1])] * 3)))
    if not start < middle < end:
        return
    readings = power(*zip(times, values, strict=True))
    whole = energy_in(readings, start, end)
    parts = [energy_in(readings, start, middle), energy_in(readings, middle, end)]
    assert math.fsum(parts) == pytest.approx(whole, rel=1e-6, abs=1e-6)


@given(moments, st.floats(0, 1000))
def test_equal_samples_are_kept(times, watts):
    whole = energy_in(power(*((t, watts) for t in times)), times[0], times[-1])
    assert whole == pytest.approx(watts * (times[-1] - times[0]), abs=1e-9)


def test_an_estimate_of_an_idle_processor_may_be_zero():
    series = replace(counter(*((s / 10, 5.0) for s in range(300))), provenance=Provenance.ESTIMATED)
    assert integrate(checked(series), [(5, 25)]).energy_j == 0
