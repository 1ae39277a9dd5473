"""What a run notes while it goes on."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from llem.api.session import OpenReport
from llem.errors import EngineError, LlemError, OutOfMemory, WorkerDied, WorkerTimeout

from .states import MODEL, RUNS, finished_run, gpu


def test_a_finished_phase_has_a_span() -> None:
    state = finished_run(spans={}, phase="preflight")
    with state.timed("open"):
        assert state.phase == "open"
        assert state.duration_s("open") is None
        before_s = time.monotonic()
        time.sleep(0.01)
        after_s = time.monotonic()
    started_s, finished_s = state.spans["open"]
    assert started_s <= before_s < after_s <= finished_s
    assert state.duration_s("open") == finished_s - started_s
    assert state.duration_s("close") is None


def test_a_phase_that_fails_has_none_and_stays_the_phase() -> None:
    state = finished_run(spans={}, phase="preflight")
    with pytest.raises(ZeroDivisionError), state.timed("prepare"):
        raise ZeroDivisionError
    assert (state.phase, state.spans) == ("prepare", {})


@pytest.mark.parametrize(
    ("error", "interrupted", "status"),
    [
        (None, False, "done"),
        (None, True, "interrupted"),
        (WorkerDied("gone"), False, "failed"),
        (WorkerTimeout("late"), False, "failed"),
        (OutOfMemory("full"), False, "out-of-memory"),
        (OutOfMemory("full"), True, "interrupted"),
    ],
)
def test_status(error: LlemError | None, interrupted: bool, status: str) -> None:
    state = finished_run(interrupted=interrupted)
    if error is not None:
        state.fail(error, hint="")
    assert state.status == status


def test_the_hint_of_the_backend_replaces_that_of_the_error() -> None:
    state = finished_run(phase="open")
    error = EngineError("no", hint="the error's", error_type="E", traceback="at line 1")
    state.fail(error, hint="")
    assert state.failure.hint == "the error's"
    state.fail(error, hint="the backend's")
    assert state.failure.hint == "the backend's"
    assert (state.failure.phase, state.failure.error_type) == ("open", "E")
    assert state.failure.traceback == "at line 1"


def test_windows_and_tokens_of_the_repetitions() -> None:
    assert finished_run().windows == [(32, 34), (35, 37), (38, 41)]
    assert finished_run().output_tokens == [6, 6, 6]
    assert finished_run(runs=RUNS[2:]).windows == [(38, 41)]


def test_an_instance_stands_for_the_whole_device() -> None:
    whole = replace(gpu("GPU-a"), instances=("MIG-1", "MIG-2"))
    state = finished_run(
        host=replace(finished_run().host, gpus=(whole, gpu("GPU-b"))),
        opened=OpenReport("engine", "2.0", MODEL, ["cuda:MIG-1", "cuda:MIG-2", "cuda:GPU-b"]),
    )
    assert state.used_devices == ["cuda:GPU-a", "cuda:GPU-b"]
    state.opened = None
    assert state.used_devices == []
