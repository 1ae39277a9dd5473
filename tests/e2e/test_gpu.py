"""On a real NVIDIA GPU: do its own two sources agree, and does energy follow the work?"""

import json
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from llem.api.meters import Channel, Meter, Probe, Provenance, Quantity, Reading
from llem.energy.compute_energy import compute_energy
from llem.energy.energy_rows import energy_rows
from llem.registry import Registry
from llem.run.metering import choose_meters, sampling
from llem.run.sampler import Sampler, Source
from llem.schema.measurement import MeasurementConfig

pytestmark = [pytest.mark.gpu, pytest.mark.engine]

IDLE_S = 20
LONG_S, SHORT_S = 20, 10
MATMUL = """
import json, sys, time
import torch
square = torch.randn(8192, 8192, device="cuda", dtype=torch.float16)
square @ square
torch.cuda.synchronize()
spans = []
for seconds in map(float, sys.argv[1:]):
    time.sleep(3)
    start_s = time.monotonic()
    while time.monotonic() < start_s + seconds:
        for _ in range(10):
            square @ square
        torch.cuda.synchronize()
    spans.append([start_s, time.monotonic()])
print(json.dumps({"uuid": str(torch.cuda.get_device_properties(0).uuid), "spans": spans}))
"""


class BothSources(Meter):
    """The energy counter and the instantaneous power of every device, read side by side."""

    def probe(self):
        return Probe(available=True)

    def open(self, devices):
        import pynvml

        self.nvml = pynvml
        pynvml.nvmlInit()
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        self.handles = list(handles)
        return [
            Channel(
                f"cuda:{pynvml.nvmlDeviceGetUUID(handle)}",
                "board",
                quantity,
                update_period_s=0.1,
                resolution=0.001,
            )
            for handle in self.handles
            for quantity in (Quantity.ENERGY, Quantity.POWER)
        ]

    def read(self):
        values = []
        for handle in self.handles:
            values.append(self.nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000)
            fields = [self.nvml.NVML_FI_DEV_POWER_INSTANT]
            values.append(self.nvml.nvmlDeviceGetFieldValues(handle, fields)[0].value.uiVal / 1000)
        return [Reading(at, time.monotonic(), value) for at, value in enumerate(values)]

    def close(self):
        self.nvml.nvmlShutdown()


@pytest.fixture(scope="module")
def recording():
    """Return counter and power of the used device, and the spans of idling and two loops."""
    meter = BothSources({})
    source = Source("both", Provenance.MEASURED, meter, tuple(meter.open(())))
    sampler = Sampler([source], period_s=0.05)
    sampler.start()
    time.sleep(1)
    idle = (time.monotonic(), time.monotonic() + IDLE_S)
    time.sleep(IDLE_S + 1)
    done = subprocess.run(
        [sys.executable, "-c", MATMUL, str(LONG_S), str(SHORT_S)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    time.sleep(1)
    sampler.stop()
    meter.close()
    answer = json.loads(done.stdout)
    counter, power = (
        series for series in sampler.series() if answer["uuid"] in series.channel.device
    )
    return counter, power, [idle, *map(tuple, answer["spans"])]


def joules(series, span):
    energy, _ = compute_energy(energy_rows([series], [span]))
    assert energy.gross_j is not None
    return energy.gross_j


@pytest.mark.parametrize(("at", "state"), [(0, "idle"), (1, "load")])
def test_counter_and_integrated_power_agree(recording, at, state, record_property):
    counter, power, spans = recording
    counted_j, integrated_j = joules(counter, spans[at]), joules(power, spans[at])
    record_property(f"{state}: counter over power", counted_j / integrated_j)
    assert counted_j == pytest.approx(integrated_j, rel=0.02)


def test_energy_scales_with_the_duration_of_the_work(recording):
    counter, _, (idle, long, short) = recording
    watts = [joules(counter, span) / (span[1] - span[0]) for span in (idle, long, short)]
    assert watts[1] > 1.5 * watts[0]
    # The same work for twice as long: what differs is the device's warming up.
    assert watts[1] == pytest.approx(watts[2], rel=0.1)
    assert joules(counter, long) == pytest.approx(
        joules(counter, short) * LONG_S / SHORT_S, rel=0.1
    )


def test_a_loaded_model_idles_above_the_bare_device(run):
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        # An earlier test used CUDA in this process, and a context is held until the process ends.
        pytest.skip("this process keeps the device from idling bare: run this file first")
    outcome = run(
        "--backend",
        "pytorch",
        "--model",
        "shape:tiny",
        measurement__meters="[nvml]",
        measurement__baseline__bare_s=10,
        measurement__baseline__loaded_s=10,
        pytorch__device="cuda",
    )
    energy = outcome["energy"]
    assert energy["provenance"] == "measured"
    assert energy["loaded_idle"]["power_w"] > energy["bare_idle"]["power_w"]


def test_every_way_of_reading_a_device_is_offered_and_increases():
    measurement = MeasurementConfig(meters=("nvml",))
    meters = choose_meters(Registry.discover(), measurement).meters
    with sampling(meters, measurement.sample_period_s) as sampler:
        time.sleep(2)
        sampler.stop()
        recorded = sampler.series()
    assert recorded
    for series in recorded:
        if series.channel.quantity is Quantity.ENERGY:
            assert all(before <= after for before, after in pairwise(series.values))
        assert min(series.values) > 0
