"""Prefill and decode: the time of each, and its energy where the meter can tell it."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llem.api.meters import Channel, Provenance, Quantity, Series
from llem.api.session import RequestResult, RunResult
from llem.energy.compute_energy import Work, compute_energy
from llem.energy.energy_rows import energy_rows
from llem.energy.integrate import energy_in
from llem.energy.phases import phases_of

from .device import Device


def request(submitted_s, *times_s):
    return RequestResult(0, [1] * len(times_s), "length", submitted_s, times_s[-1], list(times_s))


def run(*requests, start_s=0.0, end_s=100.0):
    return RunResult(start_s, end_s, list(requests))


def batch(start_s, *, prefill_s, decode_s, tokens=5, size=2):
    """Return requests that are submitted together and go on together, as a static batch does."""
    step_s = decode_s / (tokens - 1)
    times = [start_s + prefill_s + step_s * at for at in range(tokens)]
    return [request(start_s, *times) for _ in range(size)]


def repetitions(count, *, prefill_s, decode_s, first_s=3.0, pause_s=0.05):
    """Return repetitions of one static batch each."""
    length_s = prefill_s + decode_s
    starts = [first_s + at * (length_s + pause_s) for at in range(count)]
    return [
        run(
            *batch(start_s, prefill_s=prefill_s, decode_s=decode_s),
            start_s=start_s,
            end_s=start_s + length_s + 0.01,
        )
        for start_s in starts
    ]


def energy_of(runs, *series):
    windows = [(repetition.started_s, repetition.finished_s) for repetition in runs]
    work = Work(runs=runs, input_tokens=100 * len(runs))
    return compute_energy(energy_rows(series, windows), work)[0]


def power(watts):
    channel = Channel("cpu", "package", Quantity.POWER, resolution=0.001)
    times = [tick / 20 for tick in range(1400)]
    return Series(channel, Provenance.MEASURED, "test", times, [watts] * len(times))


def two_levels(runs):
    """Return a device that draws 300 W in prefill, 100 W in decode and 60 W otherwise."""
    phases = phases_of(runs)

    def wave(t):
        watts = 0 * t + 60.0
        for spans, level_w in ((phases.prefill, 300.0), (phases.decode, 100.0)):
            for start_s, end_s in spans:
                watts[(t >= start_s) & (t < end_s)] = level_w
        return watts

    return wave


def test_a_static_batch_is_prefill_until_its_first_token_and_decode_until_its_last():
    short, long = request(1.0, 2.0, 3.0), request(1.0, 2.0, 3.0, 4.0)
    phases = phases_of([run(short, long)])
    assert (phases.prefill, phases.decode, phases.mixed) == (((1.0, 2.0),), ((2.0, 4.0),), ())
    assert (phases.holds_all_prompts, phases.decode_tokens) == (True, 3)


def test_batches_one_after_the_other_alternate():
    phases = phases_of([run(request(0.0, 1.0, 2.0), request(3.0, 4.0, 5.0))])
    assert phases.prefill == ((0.0, 1.0), (3.0, 4.0))
    assert phases.decode == ((1.0, 2.0), (4.0, 5.0))


def test_time_with_requests_in_both_phases_belongs_to_neither():
    phases = phases_of([run(request(0.0, 1.0, 2.0, 5.0), request(0.0, 3.0, 4.0))])
    assert (phases.prefill, phases.mixed, phases.decode) == (
        ((0.0, 1.0),),
        ((1.0, 3.0),),
        ((3.0, 5.0),),
    )
    assert (phases.holds_all_prompts, phases.decode_tokens) == (False, 2)


def test_the_time_of_the_first_token_alone_is_enough_where_nothing_is_mixed():
    told = RequestResult(0, [1] * 4, "length", 0.0, 3.0, None, first_token_s=1.0)
    phases = phases_of([run(told)])
    assert (phases.prefill, phases.decode) == (((0.0, 1.0),), ((1.0, 3.0),))
    assert phases.decode_tokens == 3
    later = RequestResult(1, [1] * 4, "length", 2.0, 5.0, None, first_token_s=2.5)
    assert phases_of([run(told, later)]).decode_tokens is None


moments = st.floats(0.0, 9.0, allow_nan=False)
requests = st.lists(
    st.tuples(moments, st.lists(moments, min_size=1, max_size=5)).map(
        lambda drawn: request(*sorted([drawn[0], *drawn[1]]))
    ),
    min_size=1,
    max_size=8,
)


@given(st.lists(requests, min_size=1, max_size=4))
def test_spans_are_disjoint_lie_within_windows_and_cover_all_active_time(drawn):
    def later(made, at):
        times_s = [10 * at + time_s for time_s in made.token_times_s]
        return request(10 * at + made.submitted_s, *times_s)

    runs = [
        run(*(later(made, at) for made in some), start_s=10.0 * at + 1, end_s=10.0 * at + 8)
        for at, some in enumerate(drawn)
    ]
    phases = phases_of(runs)
    for spans in (phases.prefill, phases.decode, phases.mixed):
        assert list(spans) == sorted(spans)
    spans = sorted([*phases.prefill, *phases.decode, *phases.mixed])
    assert all(start_s < end_s for start_s, end_s in spans)
    assert all(span[1] <= other[0] for span, other in pairwise(spans))
    for start_s, end_s in spans:
        assert any(
            repetition.started_s <= start_s and end_s <= repetition.finished_s
            for repetition in runs
        )
    for repetition in runs:
        for made in repetition.requests:
            start_s = min(max(made.submitted_s, repetition.started_s), repetition.finished_s)
            end_s = min(max(made.finished_s, repetition.started_s), repetition.finished_s)
            covered_s = sum(max(min(end_s, b) - max(start_s, a), 0.0) for a, b in spans)
            assert covered_s == pytest.approx(end_s - start_s)
    others = sum(len(made.output_ids) - 1 for repetition in runs for made in repetition.requests)
    assert 0 <= phases.decode_tokens <= others


def test_under_constant_power_energy_is_proportional_to_time():
    runs = repetitions(6, prefill_s=0.5, decode_s=2.0)
    phases = energy_of(runs, power(200.0)).phases
    assert phases.prefill_s == pytest.approx(6 * 0.5)
    assert phases.prefill_j == pytest.approx(200 * phases.prefill_s)
    assert phases.decode_j == pytest.approx(200 * phases.decode_s)
    assert phases.j_per_prefill_token == pytest.approx(phases.prefill_j / 600)
    assert phases.j_per_decode_token == pytest.approx(phases.decode_j / (6 * 2 * 4))
    assert (phases.mixed_s, phases.unavailable) == (0, None)


@pytest.mark.parametrize("prefill_s", [0.21, 0.83])
@pytest.mark.parametrize("quantity", [Quantity.ENERGY, Quantity.POWER])
def test_two_levels_of_power_are_recovered_within_the_stated_uncertainty(quantity, prefill_s):
    runs = repetitions(8, prefill_s=prefill_s, decode_s=2.17)
    errors = []
    for seed in range(12):
        device = Device(two_levels(runs), seed=seed, length_s=32.0)
        phases = energy_of(runs, device.series(quantity)).phases
        assert phases.unavailable is None
        errors += [
            (phases.prefill_j - 300 * phases.prefill_s) / phases.prefill_uncertainty_j,
            (phases.decode_j - 100 * phases.decode_s) / phases.decode_uncertainty_j,
        ]
    assert max(map(abs, errors)) < 2
    assert math.hypot(*errors) <= math.sqrt(len(errors))


@settings(max_examples=30)
@given(
    st.floats(0.5, 1.0),
    st.floats(1.0, 2.0),
    st.integers(0, 99),
    st.sampled_from([Quantity.ENERGY, Quantity.POWER]),
)
def test_the_phases_and_what_is_mixed_are_no_more_than_all(prefill_s, decode_s, seed, quantity):
    runs = repetitions(4, prefill_s=prefill_s, decode_s=decode_s)
    late = request(runs[0].started_s + prefill_s / 2, runs[0].finished_s - 0.1)
    runs[0].requests.append(late)
    series = Device(two_levels(runs), seed=seed, length_s=20.0).series(quantity)
    energy = energy_of(runs, series)
    mixed_j = sum(energy_in(series, *span) for span in phases_of(runs).mixed)
    assert energy.phases.unavailable == "per prefill token: mixed time served some prompts"
    assert mixed_j > 0
    parts_j = energy.phases.prefill_j + energy.phases.decode_j + mixed_j
    assert parts_j <= energy.gross_j * (1 + 1e-9)
    seconds = energy.phases.prefill_s + energy.phases.decode_s + energy.phases.mixed_s
    assert (
        seconds <= sum(repetition.finished_s - repetition.started_s for repetition in runs) + 1e-9
    )


def test_the_uncertainty_is_no_smaller_a_share_after_more_repetitions():
    shares = []
    for count in (3, 12):
        runs = repetitions(count, prefill_s=0.83, decode_s=2.17)
        phases = energy_of(runs, Device(two_levels(runs)).series()).phases
        shares.append(phases.prefill_uncertainty_j / phases.prefill_j)
    assert shares[1] > 0.5 * shares[0]


def test_a_phase_shorter_than_a_reading_stands_for_is_null_and_the_other_stays():
    runs = repetitions(20, prefill_s=0.02, decode_s=2.0)
    phases = energy_of(runs, Device(two_levels(runs)).series()).phases
    assert phases.prefill_s == pytest.approx(20 * 0.02)
    figures = phases.prefill_j, phases.prefill_uncertainty_j, phases.j_per_prefill_token
    assert figures == (None, None, None)
    assert phases.decode_j == pytest.approx(100 * phases.decode_s, rel=0.1)
    assert "prefill: its spans last 20 ms on average" in phases.unavailable
    assert "decode" not in phases.unavailable


def test_a_phase_that_is_too_uncertain_is_null():
    runs = repetitions(20, prefill_s=0.21, decode_s=2.0)
    series = Device(two_levels(runs), update_s=0.105).series(Quantity.POWER, period_s=0.2)
    phases = energy_of(runs, series).phases
    assert phases.prefill_j is None
    assert "more than 20%" in phases.unavailable


def test_without_a_meter_there_are_times_and_no_energy():
    phases = energy_of(repetitions(3, prefill_s=0.5, decode_s=2.0)).phases
    assert phases.prefill_s == pytest.approx(1.5)
    assert (phases.prefill_j, phases.decode_j) == (None, None)
    assert phases.unavailable == "no energy is measured"


def test_without_token_times_nothing_is_known_of_phases():
    runs = [run(RequestResult(0, [1], "length", 3.0, 5.0), start_s=3.0, end_s=5.0)]
    phases = energy_of(runs, power(200.0)).phases
    assert set(phases.model_dump(exclude={"unavailable"}).values()) == {None}
    assert phases.unavailable == "the engine reports no times of first tokens"


def test_outputs_of_one_token_have_no_decode():
    runs = [run(request(3.0, 5.0), start_s=3.0, end_s=5.0)]
    phases = energy_of(runs, power(200.0)).phases
    assert phases.prefill_j == pytest.approx(400)
    assert (phases.decode_s, phases.decode_j, phases.j_per_decode_token) == (0, None, None)
    assert phases.unavailable == "decode: no time belongs to it alone"


def test_mixed_time_that_served_prompts_leaves_no_energy_per_prefill_token():
    runs = [run(request(3.0, 5.0, 9.0), request(3.0, 6.0, 9.0), start_s=3.0, end_s=9.0)]
    phases = energy_of(runs, power(200.0)).phases
    assert (phases.prefill_j, phases.decode_j) == (pytest.approx(400), pytest.approx(600))
    assert phases.j_per_prefill_token is None
    assert phases.j_per_decode_token == pytest.approx(300)
    assert phases.unavailable == "per prefill token: mixed time served some prompts"
    assert phases.mixed_s == pytest.approx(1)
