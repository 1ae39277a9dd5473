"""The names that `from llem.api import …` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import llem.api

NAMES = [
    "IS_SET", "BackendConfig", "BackendInfo", "Call", "CallPlan", "ConfigError", "Construct",
    "EngineArg", "EngineRequirement", "Experiment", "Finding", "ModelInfo", "Observation",
    "OpenReport", "Param", "PlanExecutor", "Request", "RequestResult", "Rule", "RunResult",
    "Section", "Session", "Symbol", "TokenizerExport", "build_plan", "drop_none", "hookimpl",
    "section_arguments",
]  # fmt: skip
L2 = {
    "IS_SET", "BackendConfig", "EngineArg", "Experiment", "Param", "Rule", "Section", "build_plan",
    "section_arguments",
}  # fmt: skip


def modules_after(statement: str) -> set[str]:
    listing = f"{statement}\nimport sys; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_names_are_these_and_at_most_thirty():
    assert llem.api.__all__ == NAMES
    assert len(NAMES) <= 30


def test_a_star_import_brings_each_name_and_nothing_else():
    found: dict[str, object] = {}
    exec("from llem.api import *", found)
    assert sorted(found.keys() - {"__builtins__"}) == sorted(NAMES)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        llem.api.nothing  # noqa: B018


def test_the_package_itself_imports_next_to_nothing():
    modules = modules_after("import llem.api")
    assert {name for name in modules if name.startswith("llem.")} <= {"llem.api", "llem.version"}
    assert "pydantic" not in modules


def test_names_that_describe_and_run_need_no_pydantic():
    light = ", ".join(name for name in NAMES if name not in L2)
    assert "pydantic" not in modules_after(f"from llem.api import {light}")
