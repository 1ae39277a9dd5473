"""Sources that are wrong, through the real commands: no valid figure is far from the truth."""

import json
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
UINT32_MAX = 2**32 - 1


@pytest.fixture
def gpus(simulated_gpus):
    return simulated_gpus(Waveform.constant(250))


def without(*functions):
    return [f"error 0 {function} {EVER}" for function in functions]


def read_by(llem, gpus, *options, seconds=2.5):
    """Return the document of `llem meter`; the load of other programs is none of its faults."""
    options = ("--set", "measurement.thresholds.max_foreign_load_ratio=1", *options)
    done = llem("meter", "--json", *options, "--", "sleep", seconds, check=0, **gpus.environ)
    return json.loads(done.stdout)


def flags(document):
    remarks = [*document["verdict"]["reasons"], *document["warnings"]]
    return {remark["code"]: remark["message"] for remark in remarks}


def truth_j(gpus, document):
    window = document["window"]
    return gpus.energy_j(0, window["start_monotonic_s"], window["end_monotonic_s"])


def test_a_healthy_gpu_is_valid(llem, gpus):
    document = read_by(llem, gpus, "--meters", "nvml", "--idle", "1", seconds=4)
    assert document["verdict"]["valid"], flags(document)
    assert document["warnings"] == []
    assert document["energy"]["gross_j"] == pytest.approx(truth_j(gpus, document), rel=0.02)


FAULTS = {
    "counter twice": (["scale 0 counter 2"], "meter-disagreement"),
    "counter half": (["scale 0 counter 0.5"], "meter-disagreement"),
    "counter 1000 times": (["scale 0 counter 1000"], "beyond-power-limit"),
    "counter 0": (["scale 0 counter 0"], "counter-stuck"),
    "7,000 W beside a limit of 700 W": (
        [*without(ENERGY), "scale 0 instant 28", "scale 0 average 28"],
        "beyond-power-limit",
    ),
    "one sample of UINT32_MAX": (
        [*without(ENERGY), f"spike 0 instant {UINT32_MAX} {{at}} {{soon}}"],
        "readings-rejected",
    ),
    "limit of 4 W": (["set 0 power_limit_w 4"], "beyond-power-limit"),
    "frozen for good": (["freeze 0 {at} inf"], "counter-stuck"),
    "energy lost in a standstill": (["freeze 0 {at} {later} 1"], "counter-stuck"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_source_is_no_valid_wrong_figure(llem, gpus, fault):
    lines, code = FAULTS[fault]
    at_s = time.monotonic() + 3.5  # well inside the command, whose start takes a second or two
    for line in lines:
        gpus.plant(line.format(at=at_s, soon=at_s + 0.1, later=at_s + 1.5))
    document = read_by(llem, gpus, "--meters", "nvml", "--idle", "0.5", seconds=6)
    energy = document["energy"]
    assert code in flags(document), flags(document)
    if document["verdict"]["valid"]:
        assert energy["gross_j"] == pytest.approx(truth_j(gpus, document), rel=0.02)
    assert energy["bare_idle"] is None or energy["bare_idle"]["power_w"] > 0
    peak_w = document["power"]["peak_w"]
    assert peak_w is None or peak_w > 0
    assert "scale" in lines[-1] or peak_w is None or peak_w == pytest.approx(250, rel=0.03)


def test_a_counter_of_a_module_says_so_and_no_estimate_is_added(llem, gpus):
    gpus.plant("name 0 NVIDIA GH200 480GB")
    gpus.plant("scale 0 counter 2")
    document = read_by(llem, gpus)
    counted = {
        (row["meter"], row["domain"]): row["counted_in_total"]
        for row in document["energy"]["devices"]
    }
    assert counted == {
        ("nvml", "module"): True,
        ("nvml", "gpu"): False,
        ("cpu-estimate", "package"): False,
    }
    assert document["energy"]["gross_j"] == pytest.approx(2 * truth_j(gpus, document), rel=0.02)
    assert "meter-disagreement" not in flags(document)


def test_a_gpu_that_cannot_be_read_makes_a_commands_energy_incomplete(llem, gpus):
    for line in without(ENERGY, INSTANT_POWER, AVERAGE_POWER):
        gpus.plant(line)
    document = read_by(llem, gpus)
    assert {row["meter"] for row in document["energy"]["devices"]} == {"cpu-estimate"}
    assert document["verdict"]["valid"] is False
    assert gpus.device(0) in flags(document)["device-unmetered"]


def test_a_dead_gpu_beside_a_healthy_one_is_named(llem, simulated_gpus):
    gpus = simulated_gpus(Waveform.constant(250), Waveform.constant(150))
    gpus.plant(f"error 0 * {GPU_IS_LOST} 0 inf")
    document = read_by(llem, gpus)
    rows = {row["device"]: row["mean_w"] for row in document["energy"]["devices"]}
    assert rows[gpus.device(1)] == pytest.approx(150, rel=0.02)
    assert "GPU is lost" in flags(document)["device-unmetered"]
    assert document["verdict"]["valid"] is False


def test_processes_that_outlive_the_command_are_named(llem, gpus):
    done = llem(
        "meter", "--json", "--meters", "nvml", "--", "sh", "-c", "sleep 4 & sleep 1",
        check=0, **gpus.environ,
    )  # fmt: skip
    assert "sleep" in flags(json.loads(done.stdout))["children-running"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["scale 0 counter 0"], "counter-stuck"),
        (["scale 0 counter 2"], "meter-disagreement"),
        ([*without(ENERGY), "scale 0 instant 28"], "beyond-power-limit"),
    ],
    ids=["stands still", "twice", "7,000 W"],
)
def test_an_experiment_judges_its_sources(llem, gpus, lines, code):
    for line in lines:
        gpus.plant(line)
    arguments = llem.run_arguments(
        "--json",
        measurement__meters="[nvml]",
        measurement__sample_period_s="null",
        measurement__min_duration_s=3,
        measurement__max_duration_s=6,
        measurement__baseline__bare_s=0.9,
        simulated__devices=f"[{gpus.device(0)}]",
    )
    outcome = json.loads(llem(*arguments, check=0, **gpus.environ).stdout)
    assert code in flags(outcome), flags(outcome)
    energy = outcome["energy"]
    assert energy["bare_idle"] is None or energy["bare_idle"]["power_w"] > 0
    if code == "counter-stuck":
        assert energy["mean_w"] == pytest.approx(250, rel=0.02)
        assert energy["bare_idle"]["power_w"] == pytest.approx(250, rel=0.02)


def test_an_outcome_records_the_environment_of_its_worker(llem, gpus):
    environ = {**gpus.environ, "OMP_NUM_THREADS": "2"}
    arguments = llem.run_arguments(
        "--json", runner__env='{OMP_NUM_THREADS: "1", CUDA_VISIBLE_DEVICES: ""}'
    )
    environment = json.loads(llem(*arguments, check=0, **environ).stdout)["environment"]
    assert environment["variables"]["OMP_NUM_THREADS"] == "1"
    assert environment["variables"]["CUDA_VISIBLE_DEVICES"] == ""
    assert environment["gpus"] == []
