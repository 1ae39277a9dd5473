"""Errors become messages and documented exit codes, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from llem.cli.error_output import (
    CONTRACT_BROKEN,
    EXIT_CODES,
    GATE_FAILED,
    GATE_INCONCLUSIVE,
    NOT_VALID,
    UNACCOUNTED,
    describe,
    document,
)
from llem.errors import ConfigInvalid, EngineMissing, Finding, LlemError

PLAN = """
@hookimpl
def llem_build_kwargs(experiment):
    from llem.schema.call_plan import CallPlan
    return CallPlan(())
"""
INTERRUPTED = (
    PLAN
    + """
@hookimpl
def llem_preflight(experiment, facts):
    import os, signal
    os.kill(os.getpid(), signal.SIGINT)
"""
)
FAILING = (
    PLAN
    + """
@hookimpl
def llem_preflight(experiment, facts):
    return {}["the cause"]
"""
)
CHECK = ("check", "--backend", "toy")


@pytest.fixture
def llem(environment, tmp_path):
    """Return a function that runs `llem` in this environment."""

    def llem(*arguments, stdout=subprocess.PIPE, **environ):
        return subprocess.run(
            [sys.executable, "-m", "llem", *arguments],
            env={**os.environ, "PYTHONPATH": str(environment.folder), **environ},
            cwd=tmp_path,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    return llem


def _subclasses(error):
    return [error, *(leaf for child in error.__subclasses__() for leaf in _subclasses(child))]


def test_the_exit_codes_are_those_of_the_errors():
    of_errors = {error.exit_code for error in _subclasses(LlemError)}
    answers = {0, UNACCOUNTED, NOT_VALID, GATE_FAILED, GATE_INCONCLUSIVE, CONTRACT_BROKEN}
    assert set(EXIT_CODES) == answers | of_errors
    assert list(EXIT_CODES) == sorted(EXIT_CODES)


def test_no_two_errors_share_a_code():
    codes = [error.code for error in _subclasses(LlemError)]
    assert len(codes) == len(set(codes))


def test_every_finding_has_its_own_lines():
    error = ConfigInvalid(
        [
            Finding("a", "no such key.", path="x.y", origin="e.yaml:3", hint="Write x.z."),
            Finding("b", "too much at once."),
        ],
        hint="see the manual",
    )
    assert describe(error).splitlines() == [
        "Error: e.yaml:3: x.y: no such key.",
        "  Write x.z.",
        "Error: too much at once.",
        "Hint: see the manual",
    ]
    assert [finding["code"] for finding in document(error)["error"]["findings"]] == ["a", "b"]


def test_other_errors_have_message_and_hint():
    error = EngineMissing("it is gone", hint="install it")
    assert describe(error) == "Error: it is gone\nHint: install it"
    assert document(error) == {
        "error": {
            "code": "engine-missing",
            "message": "it is gone",
            "hint": "install it",
            "findings": [],
        }
    }


def test_ctrl_c_ends_with_130(llem, environment, source):
    environment.install("llem-toy", {"toy": source("toy", more=INTERRUPTED)})
    done = llem(*CHECK)
    assert done.returncode == 130
    assert done.stderr.strip() == "Interrupted."


def test_a_fault_is_one_message_unless_debugging(llem, environment, source):
    environment.install("llem-toy", {"toy": source("toy", more=FAILING)})
    done = llem(*CHECK)
    assert done.returncode == 3
    assert done.stderr.splitlines()[0] == (
        "Error: hook llem_preflight of plugin 'toy' failed: KeyError: 'the cause'"
    )
    assert "Traceback" not in done.stderr
    debugged = llem(*CHECK, LLEM_DEBUG="1")
    assert debugged.returncode == 3
    assert 'return {}["the cause"]' in debugged.stderr


@pytest.mark.parametrize("arguments", [("schema",), ("capabilities", "--backend", "x", "--json")])
def test_a_reader_that_is_gone_is_no_failure(llem, arguments):
    reader, writer = os.pipe()
    os.close(reader)
    done = llem(*arguments, stdout=writer)
    os.close(writer)
    assert done.returncode == (3 if "x" in arguments else 0)
    assert "Broken" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_bystander_does_not_spoil_json(llem, environment):
    environment.install("llem-void", {"void": "1 / 0"})
    done = llem("capabilities", "--json")
    assert done.returncode == 0
    assert done.stdout.startswith("{")
    assert done.stderr.startswith("llem: plugin 'void' cannot be imported: ZeroDivisionError")
    strict = llem("capabilities", "--json", LLEM_PLUGINS_STRICT="1")
    assert strict.returncode == 3
