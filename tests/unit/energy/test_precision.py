"""When repetitions are enough, and of what: energy where it is measured, else time."""

import math

import pytest

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.energy.energy_rows import energy_rows
from llem.energy.precision import ended_by, precision, shortcomings
from llem.energy.statistics import ratio_precision
from llem.schema.measurement import MeasurementConfig

CONFIG = MeasurementConfig(
    min_duration_s=10, max_duration_s=100, min_repetitions=3, max_repetitions=50
)


def windows_of(durations):
    starts = [sum(durations[:at]) + 10 for at in range(len(durations))]
    return [(start, start + length) for start, length in zip(starts, durations, strict=True)]


def power(level, *, provenance="measured"):
    channel = Channel("cpu", "package", Quantity.POWER, update_period_s=0.1, resolution=0.0)
    times = [tick / 10 for tick in range(1000)]
    values = [level(moment) for moment in times]
    return Series(channel, Provenance(provenance), "test", times, values)


def reached(durations, *series):
    windows = windows_of(durations)
    return precision(energy_rows(series, windows), [100] * len(windows))


@pytest.mark.parametrize(
    ("durations", "ended"),
    [
        ([], None),
        ([20.0], None),
        ([4.0, 4.0, 4.0], "precision"),
        ([3.0, 3.0, 3.0], None),
        ([4.0, 8.0, 4.0], None),
        ([50.0, 1.0, 50.0], "max-duration"),
        ([0.001] * 50, "max-repetitions"),
    ],
)
def test_repetition_ends_when_minima_and_precision_are_reached_or_a_cap_is(durations, ended):
    assert ended_by(windows_of(durations), reached(durations), CONFIG) == ended


def test_what_was_not_reached_is_named():
    windows = windows_of([4.0, 4.0, 4.0])
    assert list(shortcomings(windows, reached([4.0] * 3), CONFIG)) == []
    short = windows_of([1.0, 5.0])
    found = list(shortcomings(short, reached([1.0, 5.0]), CONFIG))
    assert [reason.code for reason in found] == ["window-too-short", "precision-not-reached"]
    assert "a repetition's duration" in found[1].message
    assert reached([1.0]).half_width_ratio == math.inf
    single = list(shortcomings(windows_of([1.0]), reached([1.0]), CONFIG))
    assert "not known: an interval needs two repetitions" in single[1].message


def test_measured_energy_decides_however_steady_the_durations_are():
    wandering = power(lambda t: 100 + 3 * t)
    found = reached([4.0] * 4, wandering)
    assert found.of == "j_per_output_token"
    assert found.half_width_ratio > 0.05
    (reason,) = shortcomings(windows_of([4.0] * 4), found, CONFIG)
    assert "J per output token" in reason.message


def test_steady_power_is_precise_at_once():
    assert reached([4.0] * 4, power(lambda t: 100.0)).half_width_ratio < 1e-6


def test_an_estimate_does_not_decide():
    estimate = power(lambda t: 100 + 3 * t, provenance="estimated")
    assert reached([4.0] * 4, estimate).of == "duration"


def test_windows_that_readings_do_not_cover_yet_are_left_out():
    series = power(lambda t: 100.0)
    del series.times_s[250:], series.values[250:]
    assert reached([4.0] * 5, series).of == "j_per_output_token"


def test_short_repetitions_are_judged_in_blocks():
    energies = [1.0 + (0.3 if at % 2 else -0.3) for at in range(400)]
    few = ratio_precision(
        energies, [10] * 400, [0.05] * 400, uncertainty_j=0.0, update_period_s=0.1
    )
    assert few.blocks == 20
    assert few.half_width_ratio < 1e-9


def test_what_the_readings_do_not_know_is_part_of_the_interval():
    exact = ratio_precision([10.0] * 5, [10] * 5, [2.0] * 5, uncertainty_j=1.0, update_period_s=0.1)
    assert exact.half_width_ratio == pytest.approx(1.96 * 1.0 / 50)


def test_one_block_says_nothing():
    arguments = {"uncertainty_j": 0.0, "update_period_s": 1.0}
    assert ratio_precision([1.0] * 5, [1] * 5, [0.1] * 5, **arguments) is None
