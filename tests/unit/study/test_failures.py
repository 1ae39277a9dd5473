"""When a study stops by itself, and what it leaves out."""

import pytest

from llem.study.executor import wait_until_cool
from llem.study.failures import FailureStreak, Pruning, StreakAction
from llem.study.study_file import FailureConfig, ThermalConfig

CONTINUE, PAUSE, STOP = StreakAction.CONTINUE, StreakAction.PAUSE, StreakAction.STOP


@pytest.mark.parametrize(
    ("statuses", "advice"),
    [
        (["failed", "failed", "done", "failed"], [CONTINUE, PAUSE, CONTINUE, CONTINUE]),
        (["failed", "failed", "failed"], [CONTINUE, PAUSE, STOP]),
        (["failed", "done", "failed", "failed"], [CONTINUE, CONTINUE, CONTINUE, PAUSE]),
        (["out-of-memory"] * 4, [CONTINUE] * 4),
        (["failed", "out-of-memory", "failed"], [CONTINUE] * 3),
    ],
)
def test_failures_in_a_row_bring_a_pause_and_a_probe(statuses, advice):
    streak = FailureStreak(FailureConfig(stop_after=2))
    assert [streak.after(status) for status in statuses] == advice


def test_a_study_may_fail_for_ever():
    streak = FailureStreak(FailureConfig(stop_after=None))
    assert {streak.after("failed") for _ in range(50)} == {CONTINUE}


def test_only_greater_values_with_all_else_equal_are_pruned():
    pruning = Pruning(("x.batch",))
    pruning.add({"x.batch": 8, "dtype": "float32"}, "run-8")
    pruning.add({"x.batch": 16, "dtype": "float32"}, "run-16")
    assert pruning.cause({"x.batch": 9, "dtype": "float32"}) == "run-8"
    assert pruning.cause({"x.batch": 8, "dtype": "float32"}) is None
    assert pruning.cause({"x.batch": 4, "dtype": "float32"}) is None
    assert pruning.cause({"x.batch": 64, "dtype": "bfloat16"}) is None
    assert pruning.cause({"dtype": "float32"}) is None


def test_values_that_have_no_order_are_not_pruned():
    pruning = Pruning(("dtype", "flag"))
    pruning.add({"dtype": "float32", "flag": False}, "run")
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
