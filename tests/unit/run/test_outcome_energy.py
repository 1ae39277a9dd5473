"""The energy part of an outcome: meters, devices, their conditions, idle power."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import Any

import pytest

from llem.api.meters import Series
from llem.api.session import OpenReport
from llem.energy.idle import Idle
from llem.run.build_outcome import build_outcome
from llem.run.run_state import RunState

from .figures import (
    EXPECTED,
    FLOPS,
    MISSING,
    check_changes,
    invalid,
    missing,
    nothing,
    warned,
)
from .states import (
    H100,
    MEASUREMENT,
    MODEL,
    experiment,
    finished_run,
    gpu,
    power,
    seen,
)

NO_ENERGY = {
    **{
        name: None
        for name, value in EXPECTED.items()
        if name.startswith("energy.") and isinstance(value, int | float | str)
    },
    **nothing("energy.bare_idle", "energy.loaded_idle", "energy.after_idle"),
    "energy.provenance": "unavailable",
    "energy.phases.prefill_s": 1.5,
    "energy.phases.decode_s": 5.5,
    "energy.phases.mixed_s": 0,
    "energy.phases.unavailable": "no energy is measured",
    **{f"timing.repetitions.{number}.gross_j": None for number in range(3)},
    # The repetitions' durations 2, 2 and 3 s scatter as their energies do.
    "timing.ci_metric": "duration",
}


def test_a_run_without_a_meter() -> None:
    changes = NO_ENERGY | missing("energy.devices") | {"energy.devices": []}
    check_changes(finished_run(series=[]), changes)


def test_a_meter_that_stopped_before_the_last_window() -> None:
    whole = power("cuda:GPU-a")
    kept = sum(time_s < 40 for time_s in whole.times_s)
    series = replace(whole, times_s=whole.times_s[:kept], values=whole.values[:kept])
    check_changes(
        finished_run(series=[series]),
        {
            **NO_ENERGY,
            **invalid(
                ("meter-lost", "meter cuda:GPU-a board: its readings do not cover the windows"),
            ),
            # The first two windows and the idle power before them are known.
            "timing.repetitions.0.gross_j": 200,
            "timing.repetitions.1.gross_j": 200,
            "timing.ci_metric": "j_per_output_token",
            "timing.ci_ratio": 0,
            **{
                name: EXPECTED[name]
                for name in EXPECTED
                if name.startswith(("energy.bare_idle.", "energy.loaded_idle."))
            },
            "energy.bare_idle": MISSING,
            "energy.loaded_idle": MISSING,
            "energy.devices.0.device": "cuda:GPU-a",
            "energy.devices.0.domain": "board",
            "energy.devices.0.meter": "meter",
            "energy.devices.0.method": "instantaneous power",
            "energy.devices.0.provenance": "unavailable",
            "energy.devices.0.idle_w": 40,
            "energy.devices.0.counted_in_total": True,
            "energy.devices.0.missed_readings": 0,
            "energy.devices.0.gap_s": 0,
            "energy.devices.0.note": "",
        },
    )


def test_readings_that_were_missed() -> None:
    series: Series = power("cuda:GPU-a")
    series.failures += [33.05, 33.06, 45.0]
    check_changes(
        finished_run(series=[series]),
        {
            "energy.devices.0.missed_readings": 2,
            **warned(
                (
                    "readings-missed",
                    "meter cuda:GPU-a board: 2 readings failed and were bridged",
                )
            ),
        },
    )


SECOND = "energy.devices.1"
TWICE = {
    # The second device uses half as much: 50 W under load, 20 W and 30 W when idle.
    **{
        name: EXPECTED[name] * 1.5
        for name in EXPECTED
        if isinstance(EXPECTED[name], int | float)
        and name.startswith("energy.")
        and name.endswith(("_j", "_w", "_token", "_request"))
        and not name.startswith("energy.devices.")
    },
    **{
        f"timing.repetitions.{at}.gross_j": 1.5 * joules
        for at, joules in enumerate((200, 200, 300))
    },
    **{
        name.replace("energy.devices.0", SECOND): EXPECTED[name]
        for name in EXPECTED
        if name.startswith("energy.devices.0.")
    },
    f"{SECOND}.device": "cuda:GPU-b",
    f"{SECOND}.gross_j": 350,
    f"{SECOND}.idle_w": 20,
    f"{SECOND}.net_j": 210,
    f"{SECOND}.gain_uncertainty_j": 17.5,
    f"{SECOND}.mean_w": 50,
    "environment.gpus.1.uuid": "GPU-b",
    "environment.gpus.1.name": H100,
    "environment.gpus.1.memory_bytes": 80_000_000_000,
    "environment.devices.1": "cuda:GPU-b",
    "compute.mfu_ratio": FLOPS / 7 / (2 * 989e12),
}


def two_devices(name: str = H100, meter: str = "meter") -> RunState:
    """Return the run on two GPUs."""
    second = power("cuda:GPU-b", 0.5)
    second.meter = meter
    gpus = (gpu("GPU-a"), gpu("GPU-b", name))
    return finished_run(
        host=replace(finished_run().host, gpus=gpus),
        opened=OpenReport("engine", "2.0", MODEL, ["cuda:GPU-a", "cuda:GPU-b"]),
        series=[power("cuda:GPU-a"), second],
    )


def test_two_devices() -> None:
    check_changes(two_devices(), TWICE)


def test_gain_errors_of_two_meters_are_independent() -> None:
    changes = {
        "energy.gain_uncertainty_j": math.hypot(35, 17.5),
        f"{SECOND}.meter": "another",
    }
    check_changes(two_devices(meter="another"), TWICE | changes)


def test_a_device_whose_peak_is_not_known() -> None:
    changes = {
        "environment.gpus.1.name": "NVIDIA H999",
        "compute.mfu_ratio": None,
        "compute.note": "no stated peak is known for the devices used",
    }
    check_changes(two_devices(name="NVIDIA H999"), TWICE | changes)


def test_one_of_two_devices_that_lost_its_meter() -> None:
    state = two_devices()
    state.series[1] = replace(state.series[1], times_s=[], values=[], failures=[33.0])
    outcome = build_outcome(state, id="", log_tail="")
    assert [reason.code for reason in outcome.verdict.reasons] == ["device-lost"]
    assert [row.gross_j for row in outcome.energy.devices] == [pytest.approx(700), None]
    assert outcome.energy.gross_j is None
    assert outcome.energy.j_per_output_token is None
    assert outcome.energy.provenance == "unavailable"


CONDITIONS = {
    "energy.conditions": MISSING,
    "energy.conditions.0.device": "cuda:GPU-a",
    "energy.conditions.0.samples": 4,
    "energy.conditions.0.temperature_first_c": 50,
    "energy.conditions.0.temperature_max_c": 58,
    "energy.conditions.0.core_clock_mean_hz": 1.7e9,
    "energy.conditions.0.core_clock_min_hz": 1.65e9,
    "energy.conditions.0.core_clock_max_hz": 1.75e9,
    "energy.conditions.0.memory_clock_mean_hz": 2.6e9,
    "energy.conditions.0.power_limit_w": 650,
    "energy.conditions.0.throttled_ratio": 0,
    "energy.conditions.0.power_capped_ratio": 0.5,
    "energy.conditions.0.throttled_by.0": "power-cap",
    "energy.conditions.0.foreign_processes": [],
    "energy.conditions.0.partitioned": False,
}


def looked_at(**changes: Any) -> list:
    """Return what was seen of the device: before the windows, four times within, and after."""
    own = 4_000_001
    values = [
        {"time_s": 10.0, "temperature_c": 30.0, "core_clock_hz": 0.2e9, "process_ids": ()},
        {"time_s": 32.5, "temperature_c": 50.0, "core_clock_hz": 1.65e9, "power_limit_w": 700.0},
        {"time_s": 35.5, "temperature_c": 56.0, "core_clock_hz": 1.75e9, "power_limit_w": 700.0},
        {"time_s": 38.5, "temperature_c": 58.0, "core_clock_hz": 1.75e9, "power_limit_w": 650.0},
        {"time_s": 40.5, "temperature_c": 57.0, "core_clock_hz": 1.65e9, "power_limit_w": 700.0},
        {"time_s": 55.0, "temperature_c": 80.0, "core_clock_hz": 0.2e9, "power_limit_w": 300.0},
    ]
    capped = [(), (), ("power-cap",), ("power-cap",), (), ("hw-thermal",)]
    common = {"memory_clock_hz": 2.6e9, "process_ids": (own,), "partitioned": False}
    return [
        seen("cuda:GPU-a", **{**common, "throttled_by": by, **value, **changes})
        for value, by in zip(values, capped, strict=True)
    ]


def test_conditions_of_a_device() -> None:
    check_changes(finished_run(device_states=looked_at()), CONDITIONS)


def test_a_foreign_process() -> None:
    mine = os.getpid()  # a process of this machine, and not of the run
    changes = {
        "energy.conditions.0.foreign_processes": MISSING,
        "energy.conditions.0.foreign_processes.0": mine,
        **invalid(
            (
                "foreign-process",
                f"cuda:GPU-a was used by processes that are not the run's: {mine}",
            )
        ),
    }
    states = looked_at(process_ids=(mine, 4_000_001))
    check_changes(finished_run(device_states=states[1:]), CONDITIONS | changes)


def test_a_process_that_was_there_before_the_worker_is_foreign() -> None:
    unknown = 4_000_002  # more than this kernel's greatest id: of another namespace
    early = [replace(state, process_ids=(unknown,)) for state in looked_at()]
    late = [early[0], *looked_at()[1:]]
    for states, foreign in ((early, (unknown,)), (late, ()), (early[1:], ())):
        outcome = build_outcome(finished_run(device_states=states), id="", log_tail="")
        assert outcome.energy.conditions[0].foreign_processes == foreign


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"throttled_by": ("hw-thermal",)}, "throttled"),
        ({"partitioned": True}, "partitioned-device"),
    ],
)
def test_conditions_that_speak_against_a_run(changes: dict[str, Any], code: str) -> None:
    outcome = build_outcome(finished_run(device_states=looked_at(**changes)), id="", log_tail="")
    found = [*outcome.verdict.reasons, *outcome.warnings]
    assert [reason.code for reason in found] == [code]


def test_idle_power_taken_over_from_an_earlier_run() -> None:
    idle = Idle(duration_s=4.0, power_w=30.0, standard_error_w=0.5, drift_w=0.0, age_s=120.0)
    state = finished_run(kept_idle={("meter", "cuda:GPU-a", "board"): idle})
    check_changes(
        state,
        {
            "energy.bare_idle.duration_s": 4,
            "energy.bare_idle.power_w": 30,
            "energy.bare_idle.standard_error_w": 0.5,
            "energy.bare_idle.age_s": 120,
            "energy.idle_j": 210,
            "energy.net_j": 490,
            "energy.net_uncertainty_j": 3.5,
            "energy.net_j_per_output_token": 490 / 18,
            "energy.net_j_per_request": 490 / 6,
            "energy.devices.0.idle_w": 30,
            "energy.devices.0.net_j": 490,
            "energy.devices.0.net_uncertainty_j": 3.5,
        },
    )


@pytest.mark.parametrize(("basis", "idle_w"), [("bare", 40), ("loaded", 60)])
def test_the_idle_power_that_is_subtracted(basis: str, idle_w: float) -> None:
    asked = MEASUREMENT | {"baseline": {"subtract": basis}}
    net_j = 700 - 7 * idle_w
    check_changes(
        finished_run(experiment=experiment(measurement=asked)),
        {
            "energy.idle_basis": basis,
            "energy.idle_j": 7 * idle_w,
            "energy.net_j": net_j,
            "energy.net_j_per_output_token": net_j / 18,
            "energy.net_j_per_request": net_j / 6,
            "energy.devices.0.idle_w": idle_w,
            "energy.devices.0.net_j": net_j,
        },
    )


def test_no_idle_power() -> None:
    state = finished_run()
    for name in ("bare idle", "loaded idle", "after idle"):
        del state.spans[name]
    check_changes(
        state,
        {
            **nothing("energy.bare_idle", "energy.loaded_idle", "energy.after_idle"),
            "energy.idle_basis": None,
            "energy.idle_j": None,
            "energy.net_j": None,
            "energy.net_uncertainty_j": None,
            "energy.net_j_per_output_token": None,
            "energy.net_j_per_request": None,
            "energy.devices.0.idle_w": None,
            "energy.devices.0.net_j": None,
            "energy.devices.0.net_uncertainty_j": None,
        },
    )
