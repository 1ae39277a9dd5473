"""The conformance kit as its users meet it: the command, and the suite under pytest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONTRACT_TESTS = Path(__file__).parents[1] / "contract"
BROKEN = """
from dataclasses import replace

from mutants.healthy import *

@hookimpl
def llem_capabilities():
    return replace(INFO, summary="")
"""
SUITE = """
from llem.testing import PluginSuite

class TestBroken(PluginSuite):
    plugin = "sample"
{body}
"""


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Install a plugin that does not say what it is, and has no other fault."""
    (tmp_path / "mutants").mkdir()
    (tmp_path / "mutants/silent.py").write_text(BROKEN)
    info = tmp_path / "llem_sample-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llem-sample\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[llem.plugins.v1]\nsample = mutants.silent\n")
    monkeypatch.setenv("PYTHONPATH", f"{CONTRACT_TESTS}:{tmp_path}")


@pytest.fixture
def suite(tmp_path, broken):
    """Return the function that runs a suite for that plugin and returns what pytest printed."""

    def run(body="", *arguments, plugin="llem.testing.pytest_plugin"):
        (tmp_path / "test_broken.py").write_text(SUITE.format(body=body))
        loaded = ["-p", plugin] if plugin else []
        command = [sys.executable, "-m", "pytest", "-q", "-rA", *loaded, *arguments]
        command.append("test_broken.py")
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return done.stdout + done.stderr

    return run


def test_a_plugin_that_keeps_the_contract(llem):
    done = llem("plugins", "check", "meters", check=0)
    assert "config, all 14" in done.stdout
    assert "it offers no backend" in done.stdout
    assert "FAILED" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("meters: ")


def test_a_plugin_that_does_not(llem, broken):
    done = llem("plugins", "check", "sample", check=8)
    assert "plugin-info: summary is not one line" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("sample: ")


def test_results_as_json(llem, broken):
    done = llem("plugins", "check", "sample", "--json", check=8)
    results = {result["id"]: result for result in json.loads(done.stdout)}
    assert results["plugin-info"]["state"] == "FAILED"
    assert results["plugin-info"]["hint"]
    assert results["session-lives"]["state"] == "passed"
    assert results["audit-shared"]["state"] == "passed"
    assert "1 failed" in done.stderr


def test_a_setting_reaches_its_sessions(llem):
    settings = ("--set", "simulated.fail_in=run", "--set", "simulated.failure=error")
    done = llem("plugins", "check", "simulated", *settings, check=8)
    assert "session-lives: run fails: RuntimeError: simulated failure" in done.stdout
    assert "see session-lives" in done.stdout


def test_a_setting_that_is_refused_is_no_fault_of_the_plugin(llem):
    done = llem("plugins", "check", "simulated", "--set", "simulated.batch_size=never", check=2)
    assert "simulated.batch_size: must be a whole number" in done.stderr


def test_a_plugin_that_is_not_installed(llem):
    done = llem("plugins", "check", "absent", check=3)
    assert "No plugin is called 'absent'" in done.stderr


def test_a_known_failure_is_expected(suite):
    said = suite(
        '    known_failures = {"plugin-info": "to be written"}', "-k", "plugin or left_out"
    )
    assert "XFAIL test_broken.py::TestBroken::test_contract[plugin-info] - to be written" in said
    assert "1 xfailed" in said
    assert "FAILED" not in said


def test_a_known_failure_that_passes_is_a_failure(suite):
    said = suite('    known_failures = {"plugin-loads": "it did not"}', "-k", "plugin-loads")
    assert "[XPASS(strict)] it did not" in said
    assert "1 failed" in said


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (
            '    known_failures = {"plugin-lost": "why"}',
            "known failures that name no check: plugin-lost",
        ),
        (
            '    known_failures = {"plugin-info": ""}',
            "known failures without a reason: plugin-info",
        ),
        ("    def test_contract(self): pass", "pytest_generate_tests was overridden"),
        (
            "    @classmethod\n    def pytest_generate_tests(cls, metafunc): pass",
            "pytest_generate_tests was overridden",
        ),
    ],
)
def test_no_check_can_be_dropped_silently(suite, body, complaint):
    said = suite(body, "-k", "left_out")
    assert complaint in said
    assert "1 failed" in said


def test_the_suite_asks_for_its_fixtures(suite):
    assert "pytest -p llem.testing.pytest_plugin" in suite(plugin=None)


def test_plans_for_tests_of_ones_own(tmp_path, suite):
    test = (
        "\n\ndef test_batches(llem_plan):\n"
        '    plan = llem_plan("simulated", {"simulated.batch_size": 4})\n'
        '    assert plan.settings["batch_size"] == 4\n'
    )
    assert "1 passed" in suite(test, "-k", "batches")
