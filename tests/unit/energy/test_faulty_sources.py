"""No faulty source gives a valid figure more than 2 % from the truth; a healthy source is valid.

Each case is judged as ``llem meter`` judges a command's single window, and as ``llem run`` judges
repetitions. The device is known exactly.
"""

import math

import pytest

from llem.api.meters import Quantity
from llem.energy.compute_energy import Work, compute_energy
from llem.energy.energy_rows import IdlePeriods, energy_rows
from llem.energy.integrate import peak_w
from llem.energy.precision import precision, shortcomings, too_uncertain
from llem.schema.measurement import MeasurementConfig
from llem.schema.reason_codes import decide_verdict

from .device import WAVES, Device, constant
from .faults import UINT32_MAX, frozen, limited, sample, scaled, stuck, untouched

COUNTER, POWER, AVERAGE = Quantity.ENERGY, Quantity.POWER, Quantity.AVERAGE_POWER
SOURCES = {
    "counter and power": (COUNTER, POWER),
    "counter and average": (COUNTER, AVERAGE),
    "counter": (COUNTER,),
    "power": (POWER,),
    "average": (AVERAGE,),
}
IDLE, WINDOW = (3.0, 6.0), (7.0, 27.0)
REPETITIONS = [(7.0 + 2 * at, 8.9 + 2 * at) for at in range(10)]
LIMIT_W = 700.0


def read(device, quantities, faults):
    averaged = {AVERAGE: {"averaged_over_s": 1.0}}
    return [
        faults.get(quantity, untouched)(
            limited(LIMIT_W)(device.series(quantity, **averaged.get(quantity, {})))
        )
        for quantity in quantities
    ]


def judged(device, series, through):
    """Return the verdict, its codes, the energy, and the truth."""
    config, idle = MeasurementConfig(), IdlePeriods(bare=IDLE)
    windows = [WINDOW] if through == "meter" else REPETITIONS
    rows = energy_rows(series, windows, idle)
    if through == "meter":
        energy, reasons = compute_energy(rows)
        reasons += too_uncertain(energy, config.target_ci_ratio)
    else:
        tokens = [round(device.energy_j(*window)) for window in windows]
        energy, reasons = compute_energy(rows, Work(output_tokens=tokens, requests=[1] * 10))
        reasons += shortcomings(windows, precision(rows, tokens), config)
    verdict, warnings = decide_verdict(reasons)
    codes = {reason.code for reason in (*verdict.reasons, *warnings)}
    return verdict, codes, energy, sum(device.energy_j(*window) for window in windows)


def is_honest(verdict, energy, truth_j):
    if energy.gross_j == 0 or (energy.bare_idle and energy.bare_idle.power_w == 0):
        return False  # what was not measured is null
    return not verdict.valid or math.isclose(energy.gross_j, truth_j, rel_tol=0.02)


GARBAGE = {
    "power of UINT32_MAX mW": {POWER: sample(15, UINT32_MAX / 1000)},
    "average of UINT32_MAX mW": {AVERAGE: sample(15, UINT32_MAX / 1000)},
    "power of 593 W": {POWER: sample(15, 593)},
    "average of 593 W": {AVERAGE: sample(15, 593)},
    "negative power": {POWER: sample(15, -100), AVERAGE: sample(15, -100)},
    "no number": {POWER: sample(15, None), AVERAGE: sample(15, None), COUNTER: sample(15, None)},
    "power of 593 W at the edge": {POWER: sample(6.97, 593), AVERAGE: sample(26.97, 593)},
    "counter at 0 for a refresh": {COUNTER: sample(15, 0, lasts_s=0.1)},
    "counter beyond for a refresh": {COUNTER: sample(15, 2**32, lasts_s=0.1)},
    "counter at 0 once": {COUNTER: sample(15, 0)},
    "counter beyond once, at the edge": {COUNTER: sample(7.02, 2**32)},
}
WRONG = {
    "counter twice": {COUNTER: scaled(2)},
    "counter half": {COUNTER: scaled(0.5)},
    "counter 1.2 times": {COUNTER: scaled(1.2)},
    "power half": {POWER: scaled(0.5), AVERAGE: scaled(0.5)},
}
LOST = {
    "counter lost 1.5 s": {COUNTER: frozen(14, 15.5, caught_up=False)},
    "counter lost 0.9 s": {COUNTER: frozen(14, 14.9, caught_up=False)},
    "counter lost 5 s": {COUNTER: frozen(14, 19, caught_up=False)},
}
ALONE = {
    "counter 1000 times": {COUNTER: scaled(1000)},
    "counter of 1/1000, stuck": {COUNTER: stuck},
    "everything 28 times": {COUNTER: scaled(28), POWER: scaled(28), AVERAGE: scaled(28)},
    "limit of 150 W": dict.fromkeys((COUNTER, POWER, AVERAGE), limited(150.0)),
    "limit of 20 W": dict.fromkeys((COUNTER, POWER, AVERAGE), limited(20.0)),
    "limit of 0 W": dict.fromkeys((COUNTER, POWER, AVERAGE), limited(0.0)),
    "limit of UINT32_MAX mW": dict.fromkeys((COUNTER, POWER, AVERAGE), limited(UINT32_MAX / 1000)),
    "power 0": {POWER: scaled(0), AVERAGE: scaled(0)},
    "frozen for good": {COUNTER: frozen(14, 100, caught_up=True)},
    "frozen for good before": {COUNTER: frozen(5, 100, caught_up=True)},
    "frozen until the window": {COUNTER: frozen(0, 6, caught_up=True)},
    "frozen until within the window": {COUNTER: frozen(0, 9, caught_up=True)},
    "frozen and caught up": {COUNTER: frozen(14, 15.5, caught_up=True)},
    "frozen over the edge": {COUNTER: frozen(26, 27.6, caught_up=True)},
    "frozen for 4 s": {COUNTER: frozen(14, 18, caught_up=True)},
    "frozen for 0.5 s": {COUNTER: frozen(14, 14.5, caught_up=True)},
}


# Nothing that llem knows speaks against a plausible figure of a single source.
CASES = [
    (sources, fault)
    for sources, quantities in SOURCES.items()
    for fault in [*GARBAGE, *LOST, *ALONE, *(WRONG if len(quantities) > 1 else ())]
]


@pytest.mark.parametrize("through", ["meter", "run"])
@pytest.mark.parametrize(("sources", "fault"), CASES)
@pytest.mark.parametrize("wave", WAVES)
def test_no_fault_gives_a_valid_wrong_figure(wave, sources, fault, through):
    faults = (GARBAGE | WRONG | LOST | ALONE)[fault]
    for seed in range(2):
        device = Device(wave, seed=seed, length_s=35)
        series = read(device, SOURCES[sources], faults)
        verdict, codes, energy, truth_j = judged(device, series, through)
        assert is_honest(verdict, energy, truth_j), (seed, codes, energy.gross_j, truth_j)


@pytest.mark.parametrize("through", ["meter", "run"])
@pytest.mark.parametrize("sources", SOURCES)
@pytest.mark.parametrize("wave", WAVES)
def test_a_healthy_source_raises_no_alarm(wave, sources, through):
    alarms = {"beyond-power-limit", "meter-disagreement", "readings-rejected", "counter-stuck"}
    for seed in range(3):
        device = Device(wave, seed=seed, length_s=35)
        _, codes, _, _ = judged(device, read(device, SOURCES[sources], {}), through)
        assert not codes & alarms, (seed, codes)


@pytest.mark.parametrize("fault", ["frozen and caught up", "frozen for 4 s", "frozen for 0.5 s"])
@pytest.mark.parametrize("sources", ["counter", "counter and power"])
def test_a_counter_that_caught_up_gives_no_peak_above_the_truth(sources, fault):
    for seed in range(5):
        device = Device(constant, seed=seed, length_s=35)
        series = read(device, SOURCES[sources], ALONE[fault])
        rows = energy_rows(series, [WINDOW])
        peak = peak_w([row.sources for row in rows.counted], WINDOW, 1.0)
        assert peak is None or peak == pytest.approx(250, rel=0.03)
