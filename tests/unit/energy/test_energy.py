"""From series and windows to the outcome's energy: identities, nulls, reasons."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.energy.compute_energy import Work, compute_energy
from llem.energy.energy_rows import IdlePeriods, energy_rows

WINDOWS = [(10.0, 14.0), (15.0, 21.0)]
BARE, LOADED = (1.0, 4.0), (5.0, 9.0)


def constant(watts, *, device="cpu", domain="package", provenance="measured", **channel):
    described = Channel(device, domain, Quantity.POWER, **{"resolution": 0.0} | channel)
    times = [tick / 10 for tick in range(300)]
    levels = [watts if t >= 9.5 else watts / 2 for t in times]
    return Series(described, Provenance(provenance), "test", times, levels)


def accounted(*series, basis="bare", bare=BARE, loaded=LOADED):
    rows = energy_rows(series, WINDOWS, IdlePeriods(bare, loaded, basis=basis))
    return *compute_energy(rows, Work(output_tokens=[200, 300], requests=[10, 10])), rows.window_j


def test_one_device():
    energy, reasons, windows = accounted(constant(100.0))
    assert reasons == []
    assert windows == (pytest.approx(400), pytest.approx(600))
    assert energy.gross_j == pytest.approx(1000)
    assert energy.idle_j == pytest.approx(500)
    assert energy.net_j == pytest.approx(500)
    assert energy.j_per_output_token == pytest.approx(2)
    assert energy.j_per_request == pytest.approx(50)
    assert energy.mean_w == pytest.approx(100)
    assert energy.bare_idle.power_w == pytest.approx(50)
    assert energy.provenance == "measured"


def test_a_contained_domain_has_its_row_and_is_not_counted_twice():
    core = constant(60.0, domain="core", contained_in="package")
    energy, _, _ = accounted(constant(100.0), core)
    assert energy.gross_j == pytest.approx(1000)
    assert [row.counted_in_total for row in energy.devices] == [True, False]
    assert energy.devices[1].gross_j == pytest.approx(600)


def test_a_domain_whose_container_is_not_read_counts():
    energy, _, _ = accounted(constant(60.0, domain="core", contained_in="package"))
    assert energy.gross_j == pytest.approx(600)


def test_a_sum_is_as_good_as_its_worst_part():
    energy, _, _ = accounted(constant(100.0), constant(10.0, device="x", provenance="estimated"))
    assert energy.provenance == "estimated"


def test_one_missing_part_makes_the_total_unavailable():
    lost = constant(50.0, device="cuda:GPU-1")
    del lost.times_s[120:], lost.values[120:]
    energy, reasons, windows = accounted(constant(100.0), lost)
    assert energy.gross_j is None
    assert energy.provenance == "unavailable"
    assert energy.devices[0].gross_j == pytest.approx(1000)
    assert energy.devices[1].gross_j is None
    assert [reason.code for reason in reasons] == ["meter-lost"]
    assert windows == (None, None)


def test_nothing_metered_is_null_throughout():
    energy, reasons, windows = accounted()
    figures = energy.model_dump(exclude={"provenance", "devices", "conditions"})
    assert set(figures.values()) == {None}
    assert energy.provenance == "unavailable"
    assert (reasons, windows) == ([], (None, None))


def test_without_its_idle_there_is_no_net_energy_and_gross_stays():
    energy, _, _ = accounted(constant(100.0), bare=None)
    assert energy.gross_j == pytest.approx(1000)
    assert (energy.net_j, energy.idle_j, energy.idle_basis) == (None, None, None)


def test_a_negative_net_is_shown_as_it_is():
    quiet = constant(100.0)
    quiet.values = [200.0 if t < 9.5 else 100.0 for t in quiet.times_s]
    energy, reasons, _ = accounted(quiet)
    assert energy.net_j == pytest.approx(-1000)
    assert [reason.code for reason in reasons] == ["negative-net"]


def test_the_sensors_gain_error_stands_apart():
    energy, _, _ = accounted(constant(100.0, gain_error_ratio=0.05))
    assert energy.gain_uncertainty_j == pytest.approx(50)
    assert energy.uncertainty_j < 1


def test_gain_errors_of_one_meter_add_up_and_random_errors_do_not():
    two = [constant(100.0, device=name, gain_error_ratio=0.05, resolution=1.0) for name in "ab"]
    energy, _, _ = accounted(*two)
    row = energy.devices[0]
    assert energy.gain_uncertainty_j == pytest.approx(2 * row.gain_uncertainty_j)
    assert energy.uncertainty_j == pytest.approx(row.uncertainty_j * 2**0.5)


def test_net_energy_is_as_uncertain_as_its_idle_power_as_well():
    energy, _, _ = accounted(constant(100.0, resolution=1.0))
    idle_j = energy.bare_idle.standard_error_w * 10
    assert idle_j > 0
    assert energy.net_uncertainty_j == pytest.approx(math.hypot(energy.uncertainty_j, idle_j))


def test_a_counter_that_goes_back_is_a_reason():
    times = [tick / 10 for tick in range(300)]
    channel = Channel("cpu", "package", Quantity.ENERGY)
    values = [10 * t if t < 12 else 10 * (t - 12) for t in times]
    series = Series(channel, Provenance.MEASURED, "test", times, values)
    energy, reasons, _ = accounted(series)
    assert energy.gross_j is None
    assert [reason.code for reason in reasons] == ["counter-reset", "meter-lost"]


def test_power_read_beside_a_counter_stands_in_where_it_was_reset():
    times = [tick / 10 for tick in range(300)]
    channel = Channel("cpu", "package", Quantity.ENERGY)
    values = [100 * t if t < 12 else 100 * (t - 12) for t in times]
    counter = Series(channel, Provenance.MEASURED, "test", times, values)
    energy, reasons, windows = accounted(counter, constant(100.0))
    assert [reason.code for reason in reasons] == ["counter-reset", "meter-fallback"]
    assert energy.gross_j == pytest.approx(1000)
    assert windows == (pytest.approx(400), pytest.approx(600))
    (row,) = energy.devices
    assert row.method == "energy counter"


def test_a_counter_that_never_moves_is_replaced_and_said_to_be():
    times = [tick / 10 for tick in range(300)]
    channel = Channel("cpu", "package", Quantity.ENERGY)
    counter = Series(channel, Provenance.MEASURED, "test", times, [7.0] * 300)
    energy, reasons, _ = accounted(counter, constant(100.0))
    assert [reason.code for reason in reasons] == ["counter-stuck", "meter-fallback"]
    assert energy.gross_j == pytest.approx(1000)
    assert energy.devices[0].method == "instantaneous power"


def test_a_worse_source_from_the_start_is_said_to_be_one():
    series = constant(100.0, fallback_for="no energy counter: Not Supported")
    energy, reasons, _ = accounted(series)
    assert [reason.code for reason in reasons] == ["meter-fallback"]
    assert "Not Supported" in reasons[0].message
    assert "Not Supported" in energy.devices[0].note


def test_a_device_that_stops_answering_is_lost():
    lost = constant(50.0, device="cuda:GPU-1")
    lost.failures = lost.times_s[120:]
    del lost.times_s[120:], lost.values[120:]
    energy, reasons, _ = accounted(lost)
    assert [reason.code for reason in reasons] == ["device-lost"]
    assert energy.gross_j is None


def by(meter, series):
    series.meter = meter
    return series


def test_two_meters_of_one_domain_are_counted_once_and_agree():
    energy, reasons, _ = accounted(constant(100.0), by("other", constant(101.0)))
    assert reasons == []
    assert energy.gross_j == pytest.approx(1000)
    assert [row.counted_in_total for row in energy.devices] == [True, False]


def test_two_meters_that_disagree_are_a_reason_and_never_averaged():
    energy, reasons, _ = accounted(constant(100.0), by("other", constant(120.0)))
    assert [reason.code for reason in reasons] == ["meter-disagreement"]
    assert "+20.0%" in reasons[0].message
    assert energy.gross_j == pytest.approx(1000)


def test_what_a_stated_gain_error_explains_is_no_disagreement():
    other = by("other", constant(120.0, gain_error_ratio=0.1))
    assert accounted(constant(100.0), other)[1] == []


def test_an_estimate_adds_nothing_to_a_measurement_of_the_same_device():
    estimate = by("estimate", constant(40.0, domain="load", provenance="estimated"))
    energy, reasons, _ = accounted(estimate, constant(100.0))
    assert reasons == []
    assert energy.gross_j == pytest.approx(1000)
    assert energy.provenance == "measured"


def test_idle_power_that_drifts_is_worth_knowing():
    series = constant(100.0)
    series.values = [
        w if t >= 9.5 else 40 + 6 * t for t, w in zip(series.times_s, series.values, strict=True)
    ]
    energy, reasons, _ = accounted(series)
    assert {reason.code for reason in reasons} == {"idle-drift"}
    assert energy.bare_idle.drift_w == pytest.approx(9)


def test_a_long_gap_is_a_reason_and_is_bridged():
    series = constant(100.0)
    kept = [at for at, t in enumerate(series.times_s) if not 11 < t < 13]
    series.times_s = [series.times_s[at] for at in kept]
    series.values = [series.values[at] for at in kept]
    energy, reasons, _ = accounted(series)
    assert energy.gross_j == pytest.approx(1000)
    assert [reason.code for reason in reasons] == ["sampling-gap"]


def test_windows_shorter_than_the_meter_can_see_are_a_reason():
    _, reasons, _ = accounted(constant(100.0, update_period_s=5.0))
    assert [reason.code for reason in reasons] == ["window-too-short"]


@given(st.permutations([constant(100.0), constant(30.0, device="a"), constant(7.0, device="b")]))
def test_the_order_of_devices_does_not_matter(series):
    assert accounted(*series)[0].gross_j == pytest.approx(1370)


def test_a_wall_meter_contains_the_machine_and_outlets_add_up():
    wall = constant(300.0, device="host:a", domain="wall", covers=("*",))
    other = constant(100.0, device="host:b", domain="wall", covers=("*",))
    energy, _, _ = accounted(wall, other, constant(60.0), constant(90.0, device="cuda:GPU-1"))
    assert energy.gross_j == pytest.approx(4000)
    assert [row.counted_in_total for row in energy.devices] == [True, True, False, False]


def test_the_contents_of_a_container_without_energy_count_instead():
    container = constant(0.0, domain="psys", contents_suffice=True)
    parts = [constant(60.0, domain=f"package-{at}", contained_in="psys") for at in range(2)]
    energy, reasons, _ = accounted(container, *parts)
    assert energy.gross_j == pytest.approx(1200)
    assert "domain-ignored" in [reason.code for reason in reasons]
    assert "meter-lost" not in [reason.code for reason in reasons]


def test_readings_without_a_stated_resolution_are_as_exact_as_they_are_written():
    energy, _, _ = accounted(constant(100.0, resolution=None))
    # Whole watts over ten seconds, uniformly distributed.
    assert energy.uncertainty_j == pytest.approx(10 / math.sqrt(12), rel=0.1)
