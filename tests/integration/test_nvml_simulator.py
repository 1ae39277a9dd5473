"""The simulated driver shows what its waveforms say, through the real nvidia-ml-py."""

import json
import subprocess
import sys
import time

import pytest

from ..nvml_simulator.simulator import ENERGY, GPU_IS_LOST, INSTANT_POWER, NOT_SUPPORTED
from ..nvml_simulator.waveform import Waveform

READ = """
import json, sys, time
import pynvml as nvml
nvml.nvmlInit()
handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
end_s, rows = time.monotonic() + float(sys.argv[1]), []
def attempt(call):
    try:
        return call()
    except nvml.NVMLError as error:
        return -error.value
def instant(handle):
    (field,) = nvml.nvmlDeviceGetFieldValues(handle, [nvml.NVML_FI_DEV_POWER_INSTANT])
    return field.value.uiVal if field.nvmlReturn == 0 else -field.nvmlReturn
while time.monotonic() < end_s:
    for index, handle in enumerate(handles):
        before_s = time.monotonic()
        energy = attempt(lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        after_s = time.monotonic()
        rows.append([index, before_s, energy, attempt(lambda: instant(handle)),
                     attempt(lambda: nvml.nvmlDeviceGetPowerUsage(handle)), after_s])
    time.sleep(0.005)
uuids = [attempt(lambda: nvml.nvmlDeviceGetUUID(handle)) for handle in handles]
print(json.dumps({"uuids": uuids, "rows": rows}))
"""


def readings(gpus, seconds=0.5):
    """Read all devices for a while in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(seconds)],
        env=gpus.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


WAVEFORMS = [
    Waveform.constant(250),
    Waveform.square(100, 400, 0.7),
    Waveform.ramp(50, 450, 3),
    Waveform.bursts(60, 600),
]


def test_counter_and_averaged_power_are_exact_at_the_last_update(simulated_gpus):
    gpus = simulated_gpus(*WAVEFORMS)
    answer = readings(gpus)
    assert answer["uuids"] == [gpus.uuid(index) for index in range(4)]
    checked = 0
    for index, before_s, energy_mj, _, average_mw, after_s in answer["rows"]:
        phase_s = 0.037 * index
        updates = {(time_s - phase_s) // 0.1 for time_s in (before_s, after_s)}
        if len(updates) > 1:
            continue  # it was renewed in the middle of the call
        at_s = updates.pop() * 0.1 + phase_s
        checked += 1
        assert energy_mj / 1000 == pytest.approx(gpus.energy_j(index, 0, at_s), abs=0.002)
        mean_w = gpus.energy_j(index, at_s - 1, at_s)
        assert average_mw / 1000 == pytest.approx(mean_w, abs=0.01)
    assert checked > 100


def test_power_is_that_of_the_last_update(simulated_gpus):
    rows = readings(simulated_gpus(Waveform.square(100, 400, 0.7)), 1)["rows"]
    assert {row[3] for row in rows} == {100_000, 400_000}
    assert len({row[2] for row in rows}) in {10, 11, 12}  # ten updates a second


@pytest.mark.parametrize("waveform", WAVEFORMS)
def test_the_truth_is_additive_and_has_the_right_mean(waveform):
    assert waveform.energy_j(3.3, 4.4) + waveform.energy_j(4.4, 9.1) == pytest.approx(
        waveform.energy_j(3.3, 9.1)
    )
    steps = [waveform.energy_j(at / 1000, (at + 1) / 1000) for at in range(10_000)]
    assert sum(steps) == pytest.approx(waveform.energy_j(0, 10))
    assert min(steps) >= 0.0


def test_faults_strike_when_they_are_due(simulated_gpus):
    gpus = simulated_gpus(*[Waveform.constant(200)] * 4)
    now_s = time.monotonic()
    gpus.lose(0, now_s - 1)
    gpus.fail(1, ENERGY, NOT_SUPPORTED)
    gpus.fail(1, INSTANT_POWER, NOT_SUPPORTED)
    gpus.reset_counter(2, now_s - 1)  # so that the counter has been renewed since
    gpus.fail(3, "*", GPU_IS_LOST, now_s + 60)
    rows = readings(gpus, 0.2)["rows"]
    of = {index: [row[2:5] for row in rows if row[0] == index] for index in range(4)}
    assert all(row == [-GPU_IS_LOST] * 3 for row in of[0])
    assert all(row[0] == row[1] == -NOT_SUPPORTED and row[2] == 200_000 for row in of[1])
    assert all(0 <= row[0] < 60_000_000 and row[1] == 200_000 for row in of[2])
    assert of[2][-1][0] / 1000 == pytest.approx(200 * (rows[-1][1] - now_s + 1), abs=30)
    assert all(min(row) > 0 for row in of[3])


def test_a_slow_call_is_slow_once(simulated_gpus):
    gpus = simulated_gpus(Waveform.constant(200))
    gpus.delay(0, time.monotonic(), 0.4)
    rows = readings(gpus, 0.6)["rows"]
    durations_s = sorted(row[5] - row[1] for row in rows)
    assert durations_s[-1] >= 0.4
    assert durations_s[-2] < 0.3


def test_without_a_description_there_is_no_driver(nvml_library):
    script = "import pynvml\ntry: pynvml.nvmlInit()\nexcept pynvml.NVMLError as e: print(e.value)"
    environ = {"LD_LIBRARY_PATH": str(nvml_library.parent)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "9"
