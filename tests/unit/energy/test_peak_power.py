"""The greatest mean power over a part of a window."""

import pytest

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.energy.integrate import peak_w

from ...nvml_simulator.waveform import Waveform


def series(points, quantity=Quantity.POWER):
    channel = Channel("cpu", "package", quantity)
    return Series(
        channel,
        Provenance.MEASURED,
        "m",
        times_s=[time_s for time_s, _ in points],
        values=[value for _, value in points],
    )


def test_constant_power_is_its_own_peak():
    steady = series([(at / 10, 70.0) for at in range(51)])
    assert peak_w([[steady]], (0.5, 4.5), 1.0) == pytest.approx(70)


def test_a_peak_is_found_wherever_it_lies_and_averaged_over_the_stated_time():
    # 40 W, and 140 W between 2.0 and 2.5 s.
    points = [(at / 100, 140.0 if 200 <= at < 250 else 40.0) for at in range(501)]
    assert peak_w([[series(points)]], (0.5, 4.5), 1.0) == pytest.approx(90, abs=1)
    assert peak_w([[series(points)]], (0.5, 4.5), 4.0) == pytest.approx(52.5, abs=0.5)


@pytest.mark.parametrize("begin_s", [0.13 * step for step in range(16)])
def test_the_peak_of_a_counter_does_not_depend_on_where_the_window_begins(begin_s):
    square = Waveform.square(100, 400, 2)
    counted = series([(at / 10, square.energy_j(0, at / 10)) for at in range(80)], Quantity.ENERGY)
    assert peak_w([[counted]], (begin_s, begin_s + 3), 1.0) == pytest.approx(400, rel=0.01)


def test_domains_peak_together_not_each_for_itself():
    early = series([(at / 10, 100.0 if at < 20 else 10.0) for at in range(51)])
    late = series([(at / 10, 10.0 if at < 30 else 100.0) for at in range(51)])
    assert peak_w([[early], [late]], (0, 5), 1.0) == pytest.approx(110)


def test_without_readings_there_is_no_peak():
    assert peak_w([], (0, 1), 1.0) is None
    assert peak_w([[series([(0.0, 1.0), (0.5, 1.0)])]], (0, 1), 1.0) is None
    steady = series([(at / 10, 70.0) for at in range(51)])
    assert peak_w([[steady], [series([(0.0, 1.0)])]], (0.5, 4.5), 1.0) is None
