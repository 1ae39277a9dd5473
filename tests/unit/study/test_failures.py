"""When a study stops by itself, and what it leaves out."""

import pytest

from llem.study.cooldown import wait_until_cool
from llem.study.failures import Advice, FailureStreak, Pruning
from llem.study.settings import FailureConfig, ThermalConfig

GO_ON, PAUSE, STOP = Advice.GO_ON, Advice.PAUSE, Advice.STOP


@pytest.mark.parametrize(
    ("statuses", "advice"),
    [
        (["failed", "failed", "done", "failed"], [GO_ON, PAUSE, GO_ON, GO_ON]),
        (["failed", "failed", "failed"], [GO_ON, PAUSE, STOP]),
        (["failed", "done", "failed", "failed"], [GO_ON, GO_ON, GO_ON, PAUSE]),
        (["out-of-memory"] * 4, [GO_ON] * 4),
        (["failed", "out-of-memory", "failed"], [GO_ON] * 3),
    ],
)
def test_failures_in_a_row_bring_a_pause_and_a_probe(statuses, advice):
    streak = FailureStreak(FailureConfig(stop_after=2))
    assert [streak.after(status) for status in statuses] == advice


def test_a_study_may_fail_for_ever():
    streak = FailureStreak(FailureConfig(stop_after=None))
    assert {streak.after("failed") for _ in range(50)} == {GO_ON}


def test_only_greater_values_with_all_else_equal_are_pruned():
    pruning = Pruning(("x.batch",))
    pruning.note({"x.batch": 8, "dtype": "float32"}, "run-8")
    pruning.note({"x.batch": 16, "dtype": "float32"}, "run-16")
    assert pruning.cause({"x.batch": 9, "dtype": "float32"}) == "run-8"
    assert pruning.cause({"x.batch": 8, "dtype": "float32"}) is None
    assert pruning.cause({"x.batch": 4, "dtype": "float32"}) is None
    assert pruning.cause({"x.batch": 64, "dtype": "bfloat16"}) is None
    assert pruning.cause({"dtype": "float32"}) is None


def test_values_that_have_no_order_are_not_pruned():
    pruning = Pruning(("dtype", "flag"))
    pruning.note({"dtype": "float32", "flag": False}, "run")
    assert pruning.cause({"dtype": "float64", "flag": True}) is None


class Machine:
    """Cools down by one degree a second."""

    def __init__(self, celsius):
        self.celsius = celsius

    def temperature(self):
        return self.celsius

    def sleep(self, seconds):
        self.celsius -= seconds


def wait(machine, **condition):
    return wait_until_cool(ThermalConfig(**condition), machine.temperature, machine.sleep)


def test_a_run_waits_until_the_device_is_cool():
    assert wait(Machine(65.5), below_celsius=60) == (6.0, 59.5)
    assert wait(Machine(50), below_celsius=60) == (0.0, 50)


def test_a_run_does_not_wait_for_ever():
    assert wait(Machine(90), below_celsius=60, at_most_s=2.5) == (2.5, 87.5)


def test_without_a_sensor_nothing_is_waited_for():
    assert wait(Machine(None), below_celsius=60) == (0.0, None)
