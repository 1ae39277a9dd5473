"""Each mutant fails the check of its name and no other; the healthy plugin passes all checks."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llem.api import ENTRY_POINT_GROUP
from llem.errors import PluginIncompatible
from llem.testing import CHECKS, ContractViolation, PluginUnderTest, State, check_plugin

HERE = Path(__file__).parent
MUTANTS = [check.id.replace("-", "_") for check in CHECKS]
OTHER_API = {"plugin_listed": "llem.plugins.v2"}
"""Entry-point groups of mutants whose fault is the group."""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return the function that installs the healthy plugin or a mutant as the plugin `sample`."""
    # Workers and fresh interpreters find it as they find every installed plugin. Its module and
    # those here are parts of the same namespace package.
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{HERE}:{tmp_path}")

    def install(name: str) -> PluginUnderTest:
        if name != "healthy":
            importlib.import_module(f"mutants.{name.partition('_')[0]}")
            mutation = importlib.import_module("mutants.mutation")
            (tmp_path / "mutants").mkdir()
            (tmp_path / f"mutants/{name}.py").write_text(mutation.source(name))
        info = tmp_path / "llem_sample-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llem-sample\nVersion: 1.0\n")
        group = OTHER_API.get(name, ENTRY_POINT_GROUP)
        (info / "entry_points.txt").write_text(f"[{group}]\nsample = mutants.{name}\n")
        return PluginUnderTest("sample")

    return install


def test_every_mutant_has_a_check(installed) -> None:
    for family in {name.partition("_")[0] for name in MUTANTS}:
        importlib.import_module(f"mutants.{family}")
    mutation = importlib.import_module("mutants.mutation")
    assert sorted(mutation.HOOKS | mutation.MODULES) == sorted(MUTANTS)


def test_the_healthy_plugin_passes_all(installed) -> None:
    results = list(check_plugin(installed("healthy")))
    assert [result.id for result in results] == [check.id for check in CHECKS]
    assert {
        result.id: (result.state, result.message) for result in results if result.state != "passed"
    } == {}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_fails_exactly_its_own_check(mutant: str, installed) -> None:
    failed = [result for result in check_plugin(installed(mutant)) if result.state is State.FAILED]
    assert {result.id: result.message for result in failed}.keys() == {mutant.replace("_", "-")}
    assert all(result.message for result in failed)


@pytest.mark.skipif(not sys.flags.optimize, reason="test_no_check_needs_assert_statements runs it")
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_check_of_a_mutant_raises(mutant: str, installed) -> None:
    (check,) = (check for check in CHECKS if check.id == mutant.replace("_", "-"))
    subject = installed(mutant)
    # No bare assert, which `python -O` might remove.
    with pytest.raises(ContractViolation, match=f"^{check.id}: "):
        check(subject)


def test_no_check_needs_assert_statements() -> None:
    """Under ``python -O`` the check of each mutant still fails."""
    chosen = ("-k", test_the_check_of_a_mutant_raises.__name__, "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-O", "-m", "pytest", __file__, *chosen],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONOPTIMIZE": "1"},
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{len(MUTANTS)} passed" in done.stdout


def test_a_plugin_for_another_api_is_never_imported(installed) -> None:
    subject = installed("plugin_listed")
    assert [result.id for result in check_plugin(subject) if result.state is State.FAILED]
    with pytest.raises(PluginIncompatible, match="built for plugin API v2, this llem speaks v1"):
        assert subject.record
    assert "mutants.plugin_listed" not in sys.modules
