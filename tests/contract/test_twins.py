"""Each broken twin fails exactly its own check; the healthy plugin they stem from passes all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llem.api import ENTRY_POINT_GROUP
from llem.errors import PluginIncompatible
from llem.testing import CHECKS, ContractViolation, PluginUnderTest, State, check_plugin

HERE = Path(__file__).parent
NO_TWINS = {"__init__", "engine", "healthy", "parts"}
TWINS = sorted(path.stem for path in HERE.glob("twins/*.py") if path.stem not in NO_TWINS)
OTHER_API = {"plugin_listed": "llem.plugins.v2"}
"""Entry-point groups of twins whose fault is theirs."""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return the function that installs one of the modules here as the plugin `twin`."""
    # Workers and fresh interpreters find it as they find anything that is installed.
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{HERE}:{tmp_path}")

    def install(module: str) -> PluginUnderTest:
        info = tmp_path / "llem_twin-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llem-twin\nVersion: 1.0\n")
        group = OTHER_API.get(module, ENTRY_POINT_GROUP)
        (info / "entry_points.txt").write_text(f"[{group}]\ntwin = twins.{module}\n")
        return PluginUnderTest("twin")

    return install


def test_every_check_has_a_twin() -> None:
    assert sorted(check.id.replace("-", "_") for check in CHECKS) == TWINS


def test_the_healthy_plugin_passes_all(installed) -> None:
    results = list(check_plugin(installed("healthy")))
    assert [result.id for result in results] == [check.id for check in CHECKS]
    assert {
        result.id: (result.state, result.message) for result in results if result.state != "passed"
    } == {}


@pytest.mark.parametrize("twin", TWINS)
def test_a_twin_fails_exactly_its_own_check(twin: str, installed) -> None:
    failed = [result for result in check_plugin(installed(twin)) if result.state is State.FAILED]
    assert {result.id: result.message for result in failed}.keys() == {twin.replace("_", "-")}
    assert all(result.message for result in failed)


@pytest.mark.parametrize("twin", TWINS)
def test_the_check_of_a_twin_raises(twin: str, installed) -> None:
    (check,) = (check for check in CHECKS if check.id == twin.replace("_", "-"))
    subject = installed(twin)
    # No bare assert, which `python -O` might remove.
    with pytest.raises(ContractViolation, match=f"^{check.id}: "):
        check(subject)


def test_no_check_needs_assert_statements() -> None:
    """Under ``python -O`` the check of each twin still fails."""
    options = (
        "-m",
        "pytest",
        __file__,
        "-k",
        "the_check_of_a_twin_raises",
        "-p",
        "no:cacheprovider",
    )
    done = subprocess.run(
        [sys.executable, "-O", *options], capture_output=True, text=True, timeout=500, check=False,
        env={**os.environ, "PYTHONOPTIMIZE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{len(TWINS)} passed" in done.stdout


def test_a_plugin_for_another_api_is_never_imported(installed) -> None:
    subject = installed("plugin_listed")
    assert [result.id for result in check_plugin(subject) if result.state is State.FAILED]
    with pytest.raises(PluginIncompatible, match="built for plugin API v2, this llem speaks v1"):
        assert subject.record
    assert "twins.plugin_listed" not in sys.modules
