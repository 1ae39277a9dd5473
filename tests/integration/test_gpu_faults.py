"""A GPU that fails while it is measured: a flagged, stored outcome, no crash, no zero."""

import json
import re
import time

import pytest

from ..nvml_simulator.simulator import (
    AVERAGE_POWER,
    ENERGY,
    GPU_IS_LOST,
    INSTANT_POWER,
    NOT_SUPPORTED,
)
from ..nvml_simulator.waveform import Waveform

EVER = f"{NOT_SUPPORTED} 0 inf"
NOW = f"{NOT_SUPPORTED} {{now}} inf"


@pytest.fixture
def gpus(simulated_gpus):
    return simulated_gpus(Waveform.constant(250), Waveform.constant(150))


@pytest.fixture
def measured(llem, gpus):
    """Let a fault strike in the middle of a command and return the document of `llem meter`."""

    def measured(fault, before_s=1.5, after_s=1.5):
        command = gpus.command_meeting(fault, before_s, after_s)
        done = llem("meter", "--json", "--meters", "nvml", "--", *command, **gpus.environ)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout)

    return measured


@pytest.fixture
def stored(llem, gpus):
    """Let a fault strike in the middle of an experiment and return its stored outcome."""

    def stored(fault, **settings):
        arguments = llem.run_arguments(
            measurement__meters="[nvml]",
            measurement__sample_period_s="null",
            measurement__min_duration_s=4,
            measurement__max_duration_s=8,
            simulated__devices=f"[{gpus.device(0)}]",
            **settings,
        )
        process = llem.start_command(*arguments, **gpus.environ)
        for line in process.stderr:
            if "measuring" in line:
                time.sleep(1.5)  # well inside the windows
                gpus.strike(fault)
                break
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
        (outcome,) = llem.stored()
        assert outcome["status"] == "done"
        assert outcome["verdict"]["valid"] is False  # the engine is simulated, at least
        return outcome

    return stored


def flags(document):
    """Return every reason and warning, by code."""
    remarks = [*document["verdict"]["reasons"], *document["warnings"]]
    return {remark["code"]: remark["message"] for remark in remarks}


def by_device(document):
    return {row["device"]: row for row in document["energy"]["devices"]}


def is_true(row, document, power_w, within_ratio=0.05):
    """Whether a row tells the energy of constant power over the document's windows."""
    duration_s = row["gross_j"] / row["mean_w"]
    return row["gross_j"] == pytest.approx(power_w * duration_s, rel=within_ratio)


def test_a_lost_gpu_is_named_and_the_other_one_is_measured(measured, gpus):
    document = measured(f"error 0 * {GPU_IS_LOST} {{now}} inf")
    rows = by_device(document)
    assert rows[gpus.device(0)]["gross_j"] is None
    assert rows[gpus.device(0)]["provenance"] == "unavailable"
    assert is_true(rows[gpus.device(1)], document, 150)
    assert document["energy"]["gross_j"] is None  # a part of it is unknown
    assert document["verdict"]["valid"] is False
    assert gpus.device(0) in flags(document)["device-lost"]


def test_a_gpu_lost_during_an_experiment_is_stored_as_such(stored, gpus):
    outcome = stored(f"error 0 * {GPU_IS_LOST} {{now}} inf")
    assert outcome["energy"]["gross_j"] is None
    assert outcome["energy"]["j_per_output_token"] is None
    assert gpus.device(0) in flags(outcome)["device-lost"]


@pytest.mark.parametrize("through", ["command", "experiment"])
def test_a_counter_that_is_reset_is_flagged_and_power_stands_in(measured, stored, gpus, through):
    document = (measured if through == "command" else stored)("reset 0 {now}")
    row = by_device(document)[gpus.device(0)]
    if through == "command":  # of an experiment's windows, only some hold the reset
        assert row["method"] == "instantaneous power"
    assert is_true(row, document, 250)
    assert gpus.device(0) in flags(document)["counter-reset"]
    assert gpus.device(0) in flags(document)["meter-fallback"]


@pytest.mark.parametrize("through", ["command", "experiment"])
def test_a_driver_that_hangs_for_two_seconds_makes_nothing_wrong(measured, stored, gpus, through):
    document = (measured if through == "command" else stored)("slow 0 {now} 2")
    row = by_device(document)[gpus.device(0)]
    # A counter goes on counting meanwhile; only a gap at an edge makes it uncertain.
    assert row["gross_j"] is None or is_true(row, document, 250)
    if row["gross_j"] is None:
        assert "meter-lost" in flags(document)


@pytest.mark.parametrize(
    ("faults", "method"),
    [
        ([f"error 0 {ENERGY} {EVER}"], "instantaneous power"),
        ([f"error 0 {ENERGY} {EVER}", f"error 0 {INSTANT_POWER} {EVER}"], "averaged power"),
        ([f"error 0 {INSTANT_POWER} {EVER}", f"error 0 {AVERAGE_POWER} {EVER}"], "energy counter"),
    ],
    ids=["counter", "counter and power", "powers"],
)
def test_without_a_field_the_next_best_source_is_used(llem, gpus, faults, method):
    for fault in faults:
        gpus.strike(fault)
    done = llem("meter", "--json", "--meters", "nvml", "--", "sleep", "3", check=0, **gpus.environ)
    document = json.loads(done.stdout)
    rows = by_device(document)
    assert rows[gpus.device(0)]["method"] == method
    assert is_true(rows[gpus.device(0)], document, 250)
    assert rows[gpus.device(1)]["method"] == "energy counter"
    listed = llem("meters", check=0, **gpus.environ).stdout
    assert method in listed


def test_a_counter_that_stops_answering_is_replaced(measured, gpus):
    document = measured(f"error 0 {ENERGY} {NOW}")
    row = by_device(document)[gpus.device(0)]
    assert row["gross_j"] is None or is_true(row, document, 250)
    assert set(flags(document)) & {"meter-fallback", "meter-lost", "device-lost"}


def test_a_gpu_without_any_source_is_unmetered_not_zero(llem, gpus):
    for function in (ENERGY, INSTANT_POWER, AVERAGE_POWER):
        gpus.strike(f"error 0 {function} {EVER}")
    arguments = llem.run_arguments(
        "--json", measurement__meters="[nvml]", simulated__devices=f"[{gpus.device(0)}]"
    )
    outcome = json.loads(llem(*arguments, check=0, **gpus.environ).stdout)
    assert outcome["energy"]["gross_j"] is None
    assert outcome["energy"]["provenance"] == "unavailable"
    assert gpus.device(0) in flags(outcome)["device-unmetered"]
    assert llem.stored() == [outcome]


def test_without_any_gpu_that_answers_the_meter_is_refused_by_name(llem, gpus):
    for index in range(2):
        gpus.strike(f"error {index} * {GPU_IS_LOST} 0 inf")
    done = llem("meter", "--meters", "nvml", "--", "sleep", "1", check=2, **gpus.environ)
    assert re.search("meter 'nvml' does not work here", done.stderr)
