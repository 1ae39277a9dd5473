"""What was done and under which settings: latency, arithmetic, memory, verdict, environment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llem.api.capability import HostInfo
from llem.api.session import Observation, OpenReport, RequestResult, RunResult
from llem.errors import WorkerDied
from llem.run.build_outcome import build_outcome
from llem.schema.outcome import Reason
from llem.workload.build_workload import PreparedWorkload

from .figures import (
    ANY,
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
    ARITHMETIC,
    MEASUREMENT,
    MODEL,
    RUNS,
    experiment,
    finished_run,
    power,
)


def timed(**changes: Any) -> list[RunResult]:
    """Return the runs with these changes in every request."""
    return [
        replace(run, requests=[replace(request, **changes) for request in run.requests])
        for run in RUNS
    ]


NO_PHASES = {
    **{name: None for name in EXPECTED if name.startswith("energy.phases.")},
    "energy.phases.unavailable": "the engine reports no times of first tokens",
}


def test_no_token_times() -> None:
    check_changes(
        finished_run(runs=timed(token_times_s=None)),
        {
            **NO_PHASES,
            **nothing("latency.ttft_s", "latency.itl_s"),
            "latency.unavailable": "the engine reports no times of single tokens",
        },
    )


def test_one_request_without_token_times_is_enough_to_have_none() -> None:
    first, *others = RUNS
    silent = replace(first.requests[1], token_times_s=None)
    runs = [replace(first, requests=[first.requests[0], silent]), *others]
    check_changes(
        finished_run(runs=runs),
        {
            **NO_PHASES,
            **nothing("latency.ttft_s", "latency.itl_s"),
            "latency.unavailable": "the engine reports no times of single tokens",
        },
    )


def test_first_token_times_alone() -> None:
    runs = [
        replace(
            run,
            requests=[
                replace(request, token_times_s=None, first_token_s=run.started_s + 0.5)
                for request in run.requests
            ],
        )
        for run in RUNS
    ]
    check_changes(
        finished_run(runs=runs),
        {
            **nothing("latency.itl_s"),
            "latency.unavailable": ("the engine reports the time of the first token only"),
        },
    )


def test_outputs_of_one_token_have_no_gaps() -> None:
    runs = [
        RunResult(start_s, end_s, [_answered(0, start_s, end_s), _answered(1, start_s, end_s)])
        for start_s, end_s in ((32.0, 34.0), (35.0, 37.0), (38.0, 41.0))
    ]
    outcome = build_outcome(finished_run(runs=runs), id="", log_tail="")
    assert outcome.tokens.output_tokens == 6
    assert outcome.energy.j_per_output_token == pytest.approx(700 / 6)
    assert outcome.latency.itl_s is None
    assert outcome.latency.unavailable == "no request has two tokens"
    assert outcome.latency.ttft_s == outcome.latency.e2e_s
    assert outcome.energy.phases.prefill_j == pytest.approx(700)
    assert outcome.energy.phases.decode_j is None
    # 5 and 3 positions, and one row of the output projection for each prompt
    assert outcome.compute.flops == 3 * (2304 * 8 + 160 * 2 + 64 * (15 + 6) / 1)


def _answered(index: int, start_s: float, end_s: float) -> RequestResult:
    return RequestResult(index, [7], "eos", start_s, end_s, [end_s])


def test_truncated_prompts_are_a_warning() -> None:
    workload = finished_run().workload
    check_changes(
        finished_run(workload=PreparedWorkload(workload.requests, 2, workload.input_ids_sha256)),
        {
            **warned(("truncated-prompts", "2 prompts were cut")),
            "workload.truncated_requests": 2,
        },
    )


def test_self_cost() -> None:
    changes = {"overhead.cpu_s": 1.4, "overhead.cpu_ratio": 0.2}
    check_changes(finished_run(cpu_s=1.4), changes)


def test_a_model_of_an_unknown_family() -> None:
    opened = OpenReport(
        "engine",
        "2.0",
        replace(MODEL, arithmetic=None, arithmetic_note="no formula, and no torch to count with"),
        ["cuda:GPU-a"],
    )
    check_changes(
        finished_run(opened=opened),
        {
            "compute.flops": None,
            "compute.flops_per_s": None,
            "compute.mfu_ratio": None,
            "compute.method": None,
            "compute.surplus_flops": None,
            "compute.note": "no formula, and no torch to count with",
            "memory.kv_cache_bytes_per_token": None,
        },
    )


def test_a_model_in_single_precision() -> None:
    opened = OpenReport("engine", "2.0", replace(MODEL, dtype="float32"), ["cuda:GPU-a"])
    check_changes(
        finished_run(opened=opened),
        {
            "memory.kv_cache_bytes_per_token": 64,
            "compute.mfu_ratio": FLOPS / 7 / 67e12,  # NVIDIA's data sheet, without TF32
        },
    )


def test_single_precision_on_tensor_cores() -> None:
    opened = OpenReport("engine", "2.0", replace(MODEL, dtype="float32", tf32=True), ["cuda:GPU-a"])
    check_changes(
        finished_run(opened=opened),
        {
            "memory.kv_cache_bytes_per_token": 64,
            "compute.mfu_ratio": FLOPS / 7 / 494e12,  # the data sheet's 989 with sparsity, halved
        },
    )


def test_operations_computed_in_vain_are_counted_and_are_no_utilization() -> None:
    # Half of the first matrices; the requests have 4·2 + 3·2 + ... positions, as FLOPS has.
    half = replace(ARITHMETIC, surplus_flops=ARITHMETIC.position_flops // 2)
    opened = OpenReport("engine", "2.0", replace(MODEL, arithmetic=half), ["cuda:GPU-a"])
    outcome = build_outcome(finished_run(opened=opened), id="", log_tail="")
    positions = 2 * (5 + 4 - 1 + 3 + 2 - 1) + (5 + 3 - 1) + (3 + 3 - 1)
    assert outcome.compute.flops == FLOPS
    assert outcome.compute.surplus_flops == positions * half.surplus_flops
    assert outcome.compute.mfu_ratio == pytest.approx(
        (FLOPS - positions * half.surplus_flops) / 7 / 989e12
    )


def test_a_window_bounds_the_cache() -> None:
    windowed = replace(ARITHMETIC, attention=(replace(ARITHMETIC.attention[0], window_tokens=3),))
    opened = OpenReport("engine", "2.0", replace(MODEL, arithmetic=windowed), ["cuda:GPU-a"])
    outcome = build_outcome(finished_run(opened=opened), id="", log_tail="")
    # Two positions stay in the cache at the end of each of 6 requests.
    positions = 2 * (5 + 4 - 1 + 3 + 2 - 1) + (5 + 3 - 1) + (3 + 3 - 1)
    assert outcome.memory.kv_cache_bytes_per_token == round(6 * 2 * 16 * 2 / positions)


def test_a_run_on_the_processor() -> None:
    opened = OpenReport("engine", "2.0", MODEL, ["cpu"])
    host = HostInfo("Linux 6.1", "a processor", 16, 64_000_000_000)
    check_changes(
        finished_run(opened=opened, host=host, series=[power("cpu")]),
        {
            **missing("environment.gpus"),
            "environment.gpus": [],
            "environment.devices.0": "cpu",
            "energy.devices.0.device": "cpu",
            "compute.mfu_ratio": None,
            "compute.note": "no stated peak is known for the devices used",
        },
    )


def test_more_arithmetic_than_the_device_can_do() -> None:
    wide = replace(ARITHMETIC, position_flops=10**17)
    opened = OpenReport("engine", "2.0", replace(MODEL, arithmetic=wide), ["cuda:GPU-a"])
    outcome = build_outcome(finished_run(opened=opened), id="", log_tail="")
    assert [reason.code for reason in outcome.verdict.reasons] == ["beyond-roofline"]
    assert outcome.compute.mfu_ratio > 2


def test_a_simulated_engine() -> None:
    opened = OpenReport("engine", "2.0", MODEL, ["cuda:GPU-a"], simulated=True)
    check_changes(finished_run(opened=opened), invalid(("simulated-engine", ANY)))


def test_a_warm_up_that_did_not_converge() -> None:
    message = "2 warm-up repetitions were not stable"
    check_changes(finished_run(warmup_stable=False), invalid(("warmup-not-converged", message)))


def test_a_value_that_was_not_in_force() -> None:
    observation = Observation(
        effective={"load.heads": 1}, reasons={"compile-failed": "ran eagerly"}
    )
    check_changes(
        finished_run(observation=observation),
        {
            **missing("effective", "memory.other"),
            "effective.load.heads": 1,
            "memory.host_peak_rss_bytes": None,
            "memory.host_load_peak_rss_bytes": None,
            "memory.device_peak_bytes": None,
            "memory.other": {},
            **invalid(
                ("effective-differs", "load.heads was asked to be 2 and was 1"),
                ("compile-failed", "ran eagerly"),
            ),
        },
    )


def test_an_accepted_reason_is_a_warning() -> None:
    asked = MEASUREMENT | {"thresholds": {"allow": ["warmup-not-converged"]}}
    state = finished_run(warmup_stable=False, experiment=experiment(measurement=asked))
    message = "2 warm-up repetitions were not stable"
    check_changes(state, warned(("warmup-not-converged", message)))


def test_what_was_said_before_the_run_comes_first() -> None:
    state = finished_run(
        warnings=[Reason(code="remote-code", message="runs code of the model")],
        reasons=[
            Reason(code="device-unmetered", message="cuda:GPU-c"),
            Reason(code="baseline-stale", message="metered again"),
        ],
    )
    check_changes(
        state,
        {
            **invalid(("device-unmetered", "cuda:GPU-c")),
            **warned(
                ("remote-code", "runs code of the model"), ("baseline-stale", "metered again")
            ),
        },
    )


def test_variables_that_matter_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("ENGINE_MODE", "fast")
    monkeypatch.setenv("ENGINE_OTHER", "unseen")
    check_changes(
        finished_run(variables=("ENGINE_MODE",)),
        {
            "environment.variables": MISSING,
            "environment.variables.OMP_NUM_THREADS": "3",
            "environment.variables.ENGINE_MODE": "fast",
        },
    )


def test_secrets_are_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "abcdefgh-12345678")
    state = finished_run(phase="open")
    state.fail(WorkerDied("refused abcdefgh-12345678"), hint="")
    outcome = build_outcome(state, id="", log_tail="with abcdefgh-12345678 and hf_" + "x" * 30)
    assert "abcdefgh" not in outcome.model_dump_json()
    assert outcome.failure.message == "refused <redacted>"
    assert outcome.log_tail == "with <redacted> and <redacted>"


def result(index: int, tokens: int, reason: str, start_s: float, end_s: float) -> RequestResult:
    return RequestResult(index, [7] * tokens, reason, start_s, end_s, None, end_s)


def outcome_of(*results: tuple[int, int, str], **decoder: Any) -> Any:
    """Return the outcome of three repetitions with these results: index, tokens, reason.

    The workload has request 0 with 4 output tokens and request 1 with 3.
    """
    runs = [
        replace(run, requests=[result(*parts, run.started_s, run.finished_s) for parts in results])
        for run in RUNS
    ]
    state = finished_run(runs=runs, experiment=experiment(decoder=decoder))
    return build_outcome(state, id="x", log_tail="")


def not_done(outcome: Any) -> list[str]:
    return [
        reason.message for reason in outcome.verdict.reasons if reason.code == "workload-not-done"
    ]


@pytest.mark.parametrize(
    ("results", "decoder"),
    [
        ([(0, 4, "length"), (1, 3, "length")], {}),
        ([(0, 4, "eos"), (1, 3, "length")], {}),
        ([(0, 2, "stop"), (1, 3, "length")], {}),
        ([(0, 2, "eos"), (1, 1, "eos")], {"ignore_eos": False}),
        ([(0, 2, "eos"), (1, 3, "length")], {"ignore_eos": False, "min_new_tokens": 2}),
        ([(0, 4, "length"), (0, 4, "length"), (1, 3, "length"), (1, 3, "length")], {}),
    ],
)
def test_work_as_it_was_promised(results: Any, decoder: Any) -> None:
    assert not_done(outcome_of(*results, **decoder)) == []


@pytest.mark.parametrize(
    ("results", "decoder", "message"),
    [
        ([(0, 1, "length"), (1, 3, "length")], {}, "request 0 ended by length after 1 of 4"),
        ([(0, 4, "length"), (1, 2, "eos")], {}, "request 1 ended by eos after 2 of 3"),
        ([(0, 5, "length"), (1, 3, "length")], {}, "request 0 ended by length after 5 of 4"),
        ([(0, 3, "length"), (1, 1, "eos")], {"ignore_eos": False}, "ended by length after 3 of 4"),
        (
            [(0, 1, "eos"), (1, 3, "length")],
            {"ignore_eos": False, "min_new_tokens": 2},
            "request 0 ended by eos after 1 of 4",
        ),
        ([(0, 4, "length")], {}, "1 result for 1 request came back, and the workload has 2"),
        (
            [(0, 4, "length"), (0, 4, "length"), (1, 3, "length")],
            {},
            "3 results for 2 requests came back",
        ),
    ],
)
def test_work_that_was_not_done(results: Any, decoder: Any, message: str) -> None:
    found = not_done(outcome_of(*results, **decoder))
    assert len(found) == 1
    assert message in found[0]


def test_a_request_that_returns_several_sequences_is_one_request() -> None:
    once = outcome_of((0, 4, "length"), (1, 3, "length"))
    twice = outcome_of(*[(index, 4 - index, "length") for index in (0, 0, 1, 1)])
    assert twice.tokens.output_tokens == 2 * once.tokens.output_tokens
    assert twice.throughput.requests_per_s == once.throughput.requests_per_s
    assert twice.energy.j_per_request == once.energy.j_per_request
    assert twice.latency.e2e_s == once.latency.e2e_s


@pytest.mark.parametrize(
    ("per_value", "expected"), [("model", 32), (1.0, 16), (0.5625, 9), ("unknown", None)]
)
def test_the_cache_is_of_its_own_type(per_value: Any, expected: int | None) -> None:
    """K and V, 2 layers, 1 head of width 4: 16 values for each token."""
    state = finished_run()
    assert state.observation is not None
    state.observation = replace(state.observation, kv_bytes_per_value=per_value)
    memory = build_outcome(state, id="x", log_tail="").memory
    assert memory is not None
    assert memory.kv_cache_bytes_per_token == expected
