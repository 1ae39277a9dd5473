"""Power that stands in for a counter is as uncertain as the two disagreed."""

import pytest

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.energy.domain_energy import mismatch_ratio
from llem.energy.energy_rows import energy_rows

TIMES = [tick / 10 for tick in range(300)]


def series(quantity, values):
    channel = Channel("gpu", "board", quantity, resolution=0.0)
    return Series(channel, Provenance.MEASURED, "test", TIMES, values)


def counter(watts, *, reset_s):
    values = [watts * t if t < reset_s else watts * (t - reset_s) for t in TIMES]
    return series(Quantity.ENERGY, values)


@pytest.mark.parametrize(("seen_w", "expected"), [(100.0, 0.0), (60.0, 0.4), (130.0, 0.3)])
def test_what_power_missed_while_the_counter_worked_is_known(seen_w, expected):
    power = series(Quantity.POWER, [seen_w] * 300)
    assert mismatch_ratio(counter(100, reset_s=20), power) == pytest.approx(expected, abs=1e-6)


def test_it_is_part_of_the_uncertainty():
    sources = [counter(100, reset_s=20), series(Quantity.POWER, [60.0] * 300)]
    (row,) = energy_rows(sources, [(15.0, 25.0)]).rows
    assert row.fallback_windows == 1
    assert row.gross_j == pytest.approx(600)
    assert row.uncertainty_j == pytest.approx(240)


def test_too_little_to_compare_says_nothing():
    short = Series(
        Channel("gpu", "board", Quantity.POWER), Provenance.MEASURED, "test", [0.0], [1.0]
    )
    assert mismatch_ratio(counter(100, reset_s=20), short) == 0
