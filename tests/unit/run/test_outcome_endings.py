"""How a run ended: the outcome of one that finished, and of those that did not.

The finished run is compared figure by figure. Each other run differs from it in one respect, and
its outcome differs in what follows from that, and in nothing else.
"""

from __future__ import annotations

import time

import pytest

from llem.errors import EngineError, OutOfMemory, WorkerDied
from llem.run.build_outcome import build_outcome

from .figures import (
    ANY,
    FLOPS_OF,
    MISSING,
    check_changes,
    failed,
    invalid,
    missing,
    nothing,
)
from .states import (
    MEASUREMENT,
    RUNS,
    experiment,
    finished_run,
)


def test_every_figure_of_a_finished_run() -> None:
    check_changes(finished_run(), {})


def test_what_was_asked_for_is_stored() -> None:
    state = finished_run()
    outcome = build_outcome(state, id="an-id", log_tail="")
    assert outcome.experiment["backend"] == "engine-of-tests"
    assert outcome.experiment["measurement"]["min_duration_s"] == 5
    assert len(outcome.experiment_sha256) == 64
    assert outcome.plan["calls"][0]["kwargs"] == {
        "dtype": {"$symbol": "torch.bfloat16"},
        "heads": 2,
    }
    assert outcome.model["arithmetic"]["method"] == "analytic"


def test_the_whole_time_counts_from_the_start() -> None:
    outcome = build_outcome(finished_run(started_s=time.monotonic() - 100), id="", log_tail="")
    assert outcome.timing.total_s == pytest.approx(100, abs=5)


NOT_MEASURED = {
    **nothing("tokens", "throughput", "latency", "energy", "compute", "overhead"),
    **missing("timing.repetitions", "counters"),
    "timing.repetitions": [],
    "timing.duration_s": None,
    "timing.ci_metric": None,
    "timing.ci_ratio": None,
    "counters": {},
}
"""What an outcome without a repetition lacks."""


def test_a_run_that_failed_to_load() -> None:
    state = finished_run(
        phase="open",
        spans={"bare idle": (0.0, 10.0), "start": (20.0, 21.0)},
        opened=None,
        workload=None,
        warmup_s=[],
        warmup_stable=False,
        runs=[],
        ended_by=None,
        observation=None,
    )
    state.fail(
        EngineError("no such file", hint="", error_type="OSError", traceback="Traceback: …"),
        hint="Look at the path.",
    )
    check_changes(
        state,
        {
            **NOT_MEASURED,
            **nothing("workload", "memory"),
            **missing("effective", "environment.devices"),
            **invalid((EngineError.code, "no such file")),
            **failed("open", EngineError.code, "no such file", "Look at the path."),
            "failure.error_type": "OSError",
            "failure.traceback": "Traceback: …",
            "status": "failed",
            "effective": {},
            "environment.devices": [],
            "environment.engine": None,
            "environment.engine_version": None,
            "timing.load_s": None,
            "timing.prepare_s": None,
            "timing.warmup_s": None,
            "timing.warmup_repetitions": 0,
            "timing.stop_reason": None,
        },
    )


AFTER_ONE = {
    # the first repetition: 6 tokens of 2 requests in 2 s, with 200 J
    **missing("timing.repetitions.1", "timing.repetitions.2"),
    "tokens.input_tokens": 8,
    "tokens.output_tokens": 6,
    "tokens.padding_tokens": 3,
    "tokens.padding_input_tokens": 2,
    "tokens.padding_output_tokens": 1,
    "timing.duration_s": 2,
    "timing.ci_ratio": None,
    "throughput.output_tokens_per_s": 3,
    "throughput.total_tokens_per_s": 7,
    "throughput.requests_per_s": 1,
    "throughput.output_tokens_per_s_spread.mean": 3,
    "throughput.output_tokens_per_s_spread.std": None,
    "throughput.output_tokens_per_s_spread.ci95_low": None,
    "throughput.output_tokens_per_s_spread.ci95_high": None,
    "throughput.output_tokens_per_s_spread.n": 1,
    # gaps: 0.5 four times; whole requests: 1 s and 2 s
    "latency.itl_s.p90": 0.5,
    "latency.itl_s.p95": 0.5,
    "latency.itl_s.p99": 0.5,
    "latency.itl_s.mean": 0.5,
    "latency.e2e_s.p90": 1.9,
    "latency.e2e_s.p95": 1.95,
    "latency.e2e_s.p99": 1.99,
    "latency.e2e_s.mean": 1.5,
    "energy.gross_j": 200,
    "energy.idle_j": 80,
    "energy.net_j": 120,
    "energy.gain_uncertainty_j": 10,
    "energy.j_per_output_token": 200 / 6,
    "energy.uncertainty_j_per_output_token": 0,
    "energy.j_per_request": 100,
    "energy.uncertainty_j_per_request": 0,
    "energy.net_j_per_output_token": 20,
    "energy.net_j_per_request": 60,
    "energy.phases.prefill_s": 0.5,
    "energy.phases.prefill_j": 50,
    "energy.phases.j_per_prefill_token": 50 / 8,
    "energy.phases.decode_s": 1.5,
    "energy.phases.decode_j": 150,
    "energy.phases.j_per_decode_token": 150 / 4,
    "energy.devices.0.gross_j": 200,
    "energy.devices.0.net_j": 120,
    "energy.devices.0.gain_uncertainty_j": 10,
    "compute.flops": FLOPS_OF[5, 4] + FLOPS_OF[3, 2],
    "compute.flops_per_s": (FLOPS_OF[5, 4] + FLOPS_OF[3, 2]) / 2,
    "compute.mfu_ratio": (FLOPS_OF[5, 4] + FLOPS_OF[3, 2]) / 2 / 989e12,
    "counters.steps": 4,
    "counters.evictions": MISSING,
    "overhead.cpu_ratio": 0.035,
}
"""What one repetition alone makes of the figures."""

TOO_FEW = ("window-too-short", "1 repetition in 2.00 s; asked for at least 3 in 5 s")
NOT_KNOWN = ("precision-not-reached", ANY)


def test_one_repetition() -> None:
    state = finished_run(runs=RUNS[:1])
    check_changes(state, AFTER_ONE | invalid(TOO_FEW, NOT_KNOWN))


def test_one_repetition_that_is_enough() -> None:
    asked = MEASUREMENT | {"min_duration_s": 1, "min_repetitions": 1}
    state = finished_run(runs=RUNS[:1], experiment=experiment(measurement=asked))
    check_changes(state, AFTER_ONE | invalid(NOT_KNOWN))


def test_a_run_that_failed_after_one_repetition() -> None:
    state = finished_run(phase="measure", runs=RUNS[:1], ended_by=None, observation=None)
    del state.spans["after idle"]
    state.fail(WorkerDied("it ended with code 1"), hint="")
    check_changes(
        state,
        {
            **AFTER_ONE,
            **nothing("memory", "energy.after_idle"),
            **missing("effective"),
            **invalid(("worker-died", "it ended with code 1"), TOO_FEW, NOT_KNOWN),
            **failed("measure", "worker-died", "it ended with code 1"),
            "status": "failed",
            "effective": {},
            "timing.stop_reason": None,
        },
    )


def test_out_of_memory() -> None:
    state = finished_run(
        phase="prepare", runs=[], warmup_s=[], workload=None, ended_by=None, observation=None
    )
    del state.spans["prepare"]
    state.fail(OutOfMemory("80 GB were not enough", hint="Lower the batch size."), hint="")
    check_changes(
        state,
        {
            **NOT_MEASURED,
            **nothing("workload", "memory"),
            **missing("effective"),
            **invalid(("out-of-memory", "80 GB were not enough")),
            **failed("prepare", "out-of-memory", "80 GB were not enough", "Lower the batch size."),
            "status": "out-of-memory",
            "effective": {},
            "timing.prepare_s": None,
            "timing.warmup_s": None,
            "timing.warmup_repetitions": 0,
            "timing.stop_reason": None,
        },
    )


def test_an_interrupted_run_keeps_what_was_measured() -> None:
    state = finished_run(phase="measure", interrupted=True, ended_by=None)
    check_changes(
        state,
        {
            **invalid(("interrupted", "stopped by the user during measure")),
            "status": "interrupted",
            "timing.stop_reason": None,
        },
    )


def test_an_interruption_outweighs_a_failure() -> None:
    state = finished_run(phase="close", interrupted=True)
    state.fail(WorkerDied("it was stopped"), hint="")
    check_changes(
        state,
        {
            **invalid(
                ("worker-died", "it was stopped"),
                ("interrupted", "stopped by the user during close"),
            ),
            **failed("close", "worker-died", "it was stopped"),
            "status": "interrupted",
        },
    )
