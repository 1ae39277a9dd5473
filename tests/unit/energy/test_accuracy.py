"""How wrong a joule is, and whether it says so, on a device whose energy is known exactly."""

from itertools import pairwise

import numpy as np
import pytest

from llem.api.meters import Quantity
from llem.energy.integrate import integrate

from .device import WAVES, Device, bursts, constant, square


def judged(device, series, windows, seen=None):
    """Return relative error, relative stated uncertainty, and error over uncertainty."""
    found = []
    for window in windows:
        result, true_j = integrate(series, [window], seen), device.energy_j(*window)
        error_j = result.energy_j - true_j
        found.append(
            (error_j / true_j, result.uncertainty_j / true_j, error_j / result.uncertainty_j)
        )
    return np.abs(np.asarray(found)).T


@pytest.mark.parametrize("wave", WAVES)
@pytest.mark.parametrize("seed", range(3))
def test_a_counter_is_right_and_knows_how_right(wave, seed):
    device = Device(wave, seed=seed)
    series = device.series()
    _, _, ratio = judged(device, series, device.windows(40, 1, 30))
    assert np.mean(ratio < 2) >= 0.95
    error, _, _ = judged(device, series, device.windows(40, 10, 12))
    assert error.max() < 0.005
    _, stated, _ = judged(device, series, device.windows(40, 5, 5.001))
    assert np.median(stated) < 0.005


def test_power_read_beside_the_counter_narrows_nothing_it_should_not():
    device = Device(bursts, seed=5)
    windows = device.windows(40, 1, 30)
    _, _, ratio = judged(device, device.series(), windows, device.series(Quantity.POWER))
    assert np.mean(ratio < 2) >= 0.95


@pytest.mark.parametrize("seed", range(3))
def test_a_counter_read_too_seldom_to_be_located_says_so(seed):
    device = Device(square, seed=seed)
    _, coarse, ratio = judged(device, device.series(period_s=0.1), device.windows(40, 1, 30))
    _, fine, _ = judged(device, device.series(), device.windows(40, 1, 30))
    assert np.mean(ratio < 3) >= 0.95
    assert np.median(coarse) > 3 * np.median(fine)


@pytest.mark.parametrize("wave", [constant, square])
def test_averaged_power_is_freed_of_its_lag(wave):
    device = Device(wave, seed=1)
    series = device.series(Quantity.AVERAGE_POWER, averaged_over_s=1.0)
    error, _, ratio = judged(device, series, device.windows(40, 5, 30))
    assert np.median(error) < 0.01
    assert np.mean(ratio < 2) >= 0.95


def test_adjacent_windows_share_their_edges_errors():
    device = Device(square, seed=2)
    series = device.series()
    edges = np.linspace(10.03, 40.03, 1501)
    parts = [(start + 1e-4, end) for start, end in pairwise(edges)]
    many, single = integrate(series, parts), integrate(series, [(edges[0], edges[-1])])
    assert many.uncertainty_j < 2 * single.uncertainty_j
    error_j = many.energy_j - sum(device.energy_j(*part) for part in parts)
    assert abs(error_j) < 3 * many.uncertainty_j


def test_windows_far_apart_have_independent_edges():
    device = Device(constant, seed=3)
    series = device.series()
    windows = [(float(at), at + 1.0) for at in range(5, 60, 2)]
    many, single = integrate(series, windows), integrate(series, windows[:1])
    assert many.uncertainty_j == pytest.approx(single.uncertainty_j * len(windows) ** 0.5, rel=0.5)


def test_a_gap_inside_a_window_costs_a_counter_nothing_and_one_at_its_edge_much():
    device = Device(square, seed=4)
    series = device.series(without=[(20.3, 23.1)])
    inside, at_edge = integrate(series, [(15, 30)]), integrate(series, [(22, 40)])
    assert inside.gap_s == 0
    assert inside.uncertainty_j < 3
    assert at_edge.gap_s == pytest.approx(1.1, abs=0.2)
    assert at_edge.uncertainty_j > 50
    assert abs(at_edge.energy_j - device.energy_j(22, 40)) < 2 * at_edge.uncertainty_j


def test_the_update_period_is_found_whatever_the_meter_states():
    device = Device(constant, update_s=0.08)
    series = device.series(period_s=0.04)
    assert integrate(series, [(5, 20)]).update_period_s == pytest.approx(0.08, rel=0.01)
