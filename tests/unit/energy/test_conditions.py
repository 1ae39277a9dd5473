"""What devices did besides using energy, and what of it speaks against an outcome."""

from llem.api.meters import DeviceState
from llem.energy.reasons import condition_reasons, conditions
from llem.schema.measurement import ThresholdsConfig

WINDOWS = [(10.0, 20.0), (20.0, 30.0)]


def samples(**values):
    """Return one look a second, from 0 to 40; a callable is asked for its value at each."""
    return [
        DeviceState(
            "cuda:GPU-1",
            float(moment),
            **{name: value(moment) if callable(value) else value for name, value in values.items()},
        )
        for moment in range(41)
    ]


def judged(states, foreign=(), thresholds=None):
    rows = conditions(states, WINDOWS, foreign)
    return rows[0], [
        reason.code for reason in condition_reasons(rows, thresholds or ThresholdsConfig())
    ]


def test_only_samples_in_the_windows_count():
    row, codes = judged(samples(temperature_c=lambda t: 90.0 if t < 5 else 60.0))
    assert (row.temperature_first_c, row.temperature_max_c) == (60.0, 60.0)
    assert row.samples == 23
    assert codes == []


def test_throttling_by_heat_is_a_reason_and_a_power_cap_is_not():
    hot = samples(throttled_by=lambda t: ("hw-thermal", "power-cap") if t > 25 else ("power-cap",))
    row, codes = judged(hot)
    assert codes == ["throttled"]
    assert row.power_capped_ratio == 1
    assert 0.2 < row.throttled_ratio < 0.3
    _, codes = judged(samples(throttled_by=("power-cap",)))
    assert codes == []


def test_the_threshold_is_configurable():
    hot = samples(throttled_by=lambda t: ("hw-thermal",) if t > 25 else ())
    assert judged(hot, thresholds=ThresholdsConfig(max_throttled_ratio=0.5))[1] == []


def test_a_foreign_process_is_a_reason():
    row, codes = judged(samples(process_ids=(7, 8)), foreign={8})
    assert codes == ["foreign-process"]
    assert row.foreign_processes == (8,)


def test_clocks_and_temperature_that_change_are_worth_knowing():
    states = samples(core_clock_hz=lambda t: 1e9 + 2e7 * t, temperature_c=lambda t: 40.0 + t)
    assert judged(states)[1] == ["clock-unstable", "temperature-unstable"]


def test_a_partitioned_device_is_said_to_be_one():
    row, codes = judged(samples(partitioned=True))
    assert codes == ["partitioned-device"]
    assert row.partitioned is True


def test_what_a_device_does_not_tell_is_null():
    row, codes = judged(samples())
    assert codes == []
    assert (row.temperature_max_c, row.core_clock_mean_hz, row.throttled_ratio) == (None,) * 3
