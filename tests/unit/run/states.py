"""A run by hand: three repetitions of two requests on one GPU that uses 100 W under load.

=============  ===========  ========================================================
what           when, s      figures
=============  ===========  ========================================================
bare idle      0 to 10      40 W
start          20 to 21
open           21 to 24
loaded idle    25 to 30     60 W from second 20 on
prepare        30 to 30.25
warm up        30.5 to 31   2 repetitions
repetition 1   32 to 34     100 W from second 31 to second 45
repetition 2   35 to 37
repetition 3   38 to 41
after idle     50 to 55     60 W
=============  ===========  ========================================================

Each repetition has prompts of 5 and 3 tokens, and 6 output tokens: 4 and 2, 4 and 2, 3 and 3.
"""

from __future__ import annotations

from typing import Any

from llem.api.arithmetic import Arithmetic, Attention
from llem.api.capability import Gpu, HostInfo
from llem.api.meters import Channel, DeviceState, Provenance, Quantity, Series
from llem.api.session import ModelInfo, Observation, OpenReport, Request, RequestResult, RunResult
from llem.run.run_state import RunState
from llem.schema.call_plan import Call, CallPlan, Symbol
from llem.schema.experiment import Experiment
from llem.workload.build_workload import PreparedWorkload

MEASUREMENT = {
    "min_duration_s": 5,
    "min_repetitions": 3,
    "target_ci_ratio": 1,
    "sample_period_s": 0.1,
}
# Body: 2 layers of 8·4·(2·2 + 2·1) = 192 weights of attention and 3·8·16 = 384 of the MLP.
# Attention: scores and weighted values of 2 heads of width 4; keys and values of one head.
ARITHMETIC = Arithmetic(
    method="analytic",
    parameters=1360,
    active_parameters=1360,
    position_flops=2 * 2 * (192 + 384),
    output_flops=2 * 8 * 10,
    attention=(Attention(flops=2 * 2 * 2 * (2 * 4), kv_elements=2 * 2 * 4),),
)
MODEL = ModelInfo(
    vocab_size=10,
    parameters=1360,
    weights_bytes=2720,
    dtype="bfloat16",
    arithmetic=ARITHMETIC,
)
PLAN = CallPlan(
    (Call("load", "engine.load", {"dtype": Symbol("torch.bfloat16"), "heads": 2}),),
    {"batch_size": 2},
)
H100 = "NVIDIA H100 80GB HBM3"


def gpu(uuid: str, name: str = H100) -> Gpu:
    """Return a GPU of 80 GB."""
    return Gpu(uuid, name, 80_000_000_000, (9, 0))


def request(index: int, submitted_s: float, *token_times_s: float) -> RequestResult:
    """Return what a request got: one token at each of the times."""
    return RequestResult(
        index=index,
        output_ids=[7] * len(token_times_s),
        finish_reason="stop",
        submitted_s=submitted_s,
        finished_s=token_times_s[-1],
        token_times_s=list(token_times_s),
    )


# Both prompts are read in the first half second of each repetition.
RUNS = [
    RunResult(
        32.0,
        34.0,
        [request(0, 32.0, 32.5, 33.0, 33.5, 34.0), request(1, 32.0, 32.5, 33.0)],
        padding_input_tokens=2,
        padding_output_tokens=1,
        counters={"steps": 4.0},
    ),
    RunResult(
        35.0,
        37.0,
        [request(0, 35.0, 35.5, 36.0, 36.5, 37.0), request(1, 35.0, 35.5, 36.0)],
        padding_input_tokens=2,
        padding_output_tokens=3,
        counters={"steps": 4.0, "evictions": 1.0},
    ),
    RunResult(
        38.0,
        41.0,
        [request(0, 38.0, 38.5, 39.75, 41.0), request(1, 38.0, 38.5, 38.75, 39.0)],
        padding_input_tokens=2,
        counters={"steps": 3.0},
    ),
]

BARE_W, LOADED_W, BUSY_W = 40.0, 60.0, 100.0


def power(device: str, factor: float = 1.0, **channel: Any) -> Series:
    """Return readings of power, ten a second, of a device that uses ``factor`` times as much."""
    described = Channel(
        device, "board", Quantity.POWER, **{"gain_error_ratio": 0.05, "resolution": 0.0} | channel
    )
    times_s = [number / 10 for number in range(600)]
    values = [
        factor * (BARE_W if time_s < 20 else BUSY_W if 31 <= time_s <= 45 else LOADED_W)
        for time_s in times_s
    ]
    return Series(described, Provenance.MEASURED, "meter", times_s, values)


def seen(device: str, time_s: float, **values: Any) -> DeviceState:
    """Return what was seen of a device at one moment."""
    return DeviceState(device, time_s, **values)


def experiment(**sections: Any) -> Experiment:
    """Return an experiment on a backend that does not exist; sections as in a file."""
    return Experiment.model_validate(
        {"backend": "engine-of-tests", "measurement": MEASUREMENT, **sections}
    )


def finished_run(**changes: Any) -> RunState:
    """Return the state of the finished run; ``changes`` replace what it holds."""
    prompts = [Request(0, [1, 2, 3, 4, 5], 4), Request(1, [1, 2, 3], 3)]
    values: dict[str, Any] = {
        "experiment": experiment(),
        "plan": PLAN,
        "host": HostInfo("Linux 6.1", "a processor", 16, 64_000_000_000, (gpu("GPU-a"),)),
        "started_at": "2026-01-02T03:04:05+00:00",
        "started_s": 0.0,
        "phase": "close",
        "spans": {
            "bare idle": (0.0, 10.0),
            "start": (20.0, 21.0),
            "open": (21.0, 24.0),
            "loaded idle": (25.0, 30.0),
            "prepare": (30.0, 30.25),
            "warm up": (30.5, 31.0),
            "measure": (32.0, 41.0),
            "after idle": (50.0, 55.0),
        },
        "python": "3.12.1",
        "versions": {"engine": "2.0"},
        "opened": OpenReport("engine", "2.0", MODEL, ["cuda:GPU-a"]),
        "workload": PreparedWorkload(tuple(prompts), 0, "ab" * 32),
        "warmup_s": [0.25, 0.125],
        "warmup_stable": True,
        "runs": list(RUNS),
        "ended_by": "precision",
        "own_processes": {4_000_001},
        "cpu_s": 0.07,
        "series": [power("cuda:GPU-a")],
        "device_states": [],
        "observation": Observation(
            effective={"load.dtype": "torch.bfloat16", "load.heads": 2, "settings.batch_size": 2},
            memory={
                "host_peak_rss_bytes": 5000,
                "host_load_peak_rss_bytes": 9000,
                "device_peak_bytes": 9000,
                "cache_bytes": 700,
            },
        ),
    }
    return RunState(**values | changes)
