"""The calls of a plan, made: with objects of the standard library in place of an engine."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from llem.api import Call, CallPlan, Construct, PlanExecutor, Symbol

PLAN = CallPlan(
    (
        Call("load", "collections.Counter", {"a": 3}, assign="model"),
        Call("top", "model.most_common", runtime=("n",)),
        Call(
            "part", "fractions.Fraction", args=(Construct("fractions.Fraction"), 2), assign="half"
        ),
        Call("sorted", "builtins.sorted", {"key": Symbol("builtins.abs")}, ([3, -1],)),
        Call("both", "builtins.dict", {"x": 1}, runtime=("model", "y")),
    )
)


def test_a_call_is_made_with_its_arguments_and_its_result_kept():
    executor = PlanExecutor(PLAN)
    assert executor.execute("load") == Counter(a=3)
    assert executor.objects == {"model": Counter(a=3)}
    assert executor.execute("sorted") == [-1, 3]
    assert executor.objects.keys() == {"model"}


def test_a_target_may_be_part_of_an_earlier_result():
    executor = PlanExecutor(PLAN)
    executor.execute("load")["b"] = 5
    assert executor.execute("top", n=1) == [("b", 5)]


def test_an_earlier_result_that_is_missing_is_named():
    with pytest.raises(RuntimeError, match="call top needs model, which load makes"):
        PlanExecutor(PLAN).execute("top", n=1)


def test_positional_arguments_are_resolved():
    assert PlanExecutor(PLAN).execute("part") == Fraction(0, 2)


def test_assigned_results_fill_in_run_time_arguments():
    executor = PlanExecutor(PLAN)
    model = executor.execute("load")
    assert executor.execute("both", y=2) == {"x": 1, "model": model, "y": 2}
    assert executor.execute("both", y=2, model=0) == {"x": 1, "model": 0, "y": 2}


def test_run_time_arguments_are_those_of_the_plan():
    executor = PlanExecutor(PLAN)
    executor.execute("load")
    with pytest.raises(TypeError, match="call top takes n at run time, and was given nothing"):
        executor.execute("top")
    with pytest.raises(TypeError, match="takes n at run time, and was given m, n"):
        executor.execute("top", n=1, m=2)
    with pytest.raises(KeyError):
        executor.execute("nothing")


def test_a_bound_call_builds_its_arguments_once():
    plan = CallPlan((Call("pair", "builtins.dict", {"x": Construct("builtins.object")}),))
    pair = PlanExecutor(plan).bind("pair")
    assert pair()["x"] is pair()["x"]


def test_results_can_be_dropped():
    executor = PlanExecutor(PLAN)
    executor.execute("load")
    executor.execute("part")
    executor.forget("half")
    executor.forget("half")
    assert executor.objects.keys() == {"model"}
    executor.clear()
    assert executor.objects == {}
