"""What the run itself holds against an outcome."""

import pytest

from llem.api.capability import HostInfo
from llem.api.session import ModelInfo, Observation, OpenReport, RequestResult, RunResult
from llem.errors import WorkerDied
from llem.run.build_outcome import beyond_roofline, reasons_of
from llem.run.run_state import RunState
from llem.schema.call_plan import Call, CallPlan, Construct, Symbol
from llem.schema.experiment import Experiment

FACTS = HostInfo(system="Linux", cpu="one", logical_cores=1, memory_bytes=1)


def run(started_s, duration_s=6.0):
    finished_s = started_s + duration_s
    request = RequestResult(0, [1, 2, 3], "length", started_s, finished_s)
    return RunResult(started_s, finished_s, [request])


@pytest.fixture
def state():
    return RunState(
        experiment=Experiment(backend="x"),
        plan=CallPlan(calls=()),
        host=FACTS,
        opened=OpenReport("engine", "1", ModelInfo(10), ["cpu"]),
        runs=[run(0.0), run(10.0), run(20.0)],
        warmup_s=[6.0, 6.0],
        warmup_stable=True,
    )


def codes(state):
    return [reason.code for reason in reasons_of(state)]


def test_nothing_speaks_against_a_clean_run(state):
    assert codes(state) == []


def test_a_simulated_engine_is_never_valid(state):
    state.opened = OpenReport("engine", "1", ModelInfo(10), ["cpu"], simulated=True)
    assert codes(state) == ["simulated-engine"]


def test_an_unstable_warm_up(state):
    state.warmup_stable = False
    assert codes(state) == ["warmup-not-converged"]


def test_a_failure_gives_its_own_code(state):
    state.fail(WorkerDied("gone"), hint="")
    assert codes(state) == ["worker-died"]


def test_what_the_session_knows_counts(state):
    state.observation = Observation(reasons={"compile-failed": "ran eagerly"})
    assert codes(state) == ["compile-failed"]


def test_a_setting_that_did_not_take_effect(state):
    load = Call("load", "a.b", kwargs={"dtype": Symbol("torch.bfloat16"), "attention": "flash"})
    state.plan = CallPlan((load,), {"batch_size": 4})
    state.observation = Observation(
        effective={
            "load.dtype": "torch.bfloat16",
            "load.attention": "sdpa",
            "settings.batch_size": 4,
        }
    )
    (reason,) = reasons_of(state)
    assert reason.code == "effective-differs"
    assert reason.message == 'load.attention was asked to be "flash" and was "sdpa"'


def test_what_was_left_to_the_engine_or_not_observed_cannot_differ(state):
    state.plan = CallPlan((Call("load", "a.b", {"dtype": "auto", "other": 1}),))
    state.observation = Observation(effective={"load.dtype": "torch.bfloat16"})
    assert codes(state) == []


def test_constructed_objects_are_compared_by_their_parts(state):
    asked = Construct("x.Y", {"bits": 4, "group": "auto"})
    state.plan = CallPlan((Call("load", "a.b", {"quantization_config": asked}),))
    effective = {"load.quantization_config.bits": 8, "load.quantization_config.group": 64}
    state.observation = Observation(effective=effective)
    (reason,) = reasons_of(state)
    assert reason.message == "load.quantization_config.bits was asked to be 4 and was 8"


def test_more_arithmetic_than_the_devices_can_do_is_not_believed():
    (reason,) = beyond_roofline(3e15, [1e15, 1e15])
    assert reason.code == "beyond-roofline"
    assert reason.message == "3e+15 FLOP/s, and the devices do 2e+15 at most"


def test_a_rate_below_the_peak_or_without_a_stated_peak_is_believed():
    assert list(beyond_roofline(1.9e15, [1e15, 1e15])) == []
    assert list(beyond_roofline(3e15, [1e15, None])) == []
    assert list(beyond_roofline(3e15, [])) == []
    assert list(beyond_roofline(None, [1e15])) == []
