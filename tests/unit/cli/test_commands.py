"""What each command prints, and how it ends."""

from __future__ import annotations

import ast
import json
import re

import click
import jsonschema
import pytest
from click.testing import CliRunner

import llem
from llem.cli import main
from llem.cli.error_output import EXIT_CODES
from llem.errors import LlemError


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that runs `llem` and checks its exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, code=0):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return run


@pytest.fixture(autouse=True)
def backend(environment, source):
    """Install a small backend."""
    more = """
@hookimpl
def llem_build_kwargs(experiment):
    from llem.schema.call_plan import Call, CallPlan
    call = Call("load", "toybox.load", args=(experiment.model.id,), kwargs={"seed": 7})
    return CallPlan(calls=(call,), settings={"speed": 3})

@hookimpl
def llem_preflight(experiment, facts):
    from llem.errors import Finding
    if experiment.workload.requests == 13:
        return [Finding("unlucky", "13 requests bring bad luck.", path="workload.requests")]
    if experiment.workload.requests == 7:
        return [Finding("lucky", "7 is a lucky number.", severity="warning")]
    return ()
"""
    environment.install("llem-toy", {"toy": source("toy", more=more)})


def test_help_lists_every_command_and_exit_code(run):
    text = run("--help").stdout
    listed = re.findall(r"^  ([a-z]+)  +\S", text.partition("Commands:\n")[2], re.MULTILINE)
    assert listed == main.list_commands(click.Context(main))
    codes = re.findall(r"^    (\d+) +(.+)$", text.partition("Exit codes:\n")[2], re.MULTILINE)
    assert codes == [(str(code), meaning) for code, meaning in EXIT_CODES.items()]


def test_every_command_can_be_loaded(run):
    groups = [((), main)]
    for path, group in groups:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command.name == name
            usage = " ".join(("Usage: llem", *path, name, ""))
            assert run(*path, name, "--help").stdout.startswith(usage)
            if isinstance(command, click.Group):
                groups.append(((*path, name), command))
    assert len(groups) > 1


def test_every_exit_code_of_an_error_has_a_meaning():
    errors = [LlemError]
    for error in errors:
        errors += error.__subclasses__()
        assert error.exit_code in EXIT_CODES, error


def test_version(run):
    assert run("--version").stdout == f"llem {llem.__version__}\n"


def test_a_mistyped_command_is_put_right(run):
    assert "Did you mean 'plugins'?" in run("plguins", code=2).stderr
    assert "Did you mean" not in run("xyzzy", code=2).stderr
    assert "No such option" in run("--nonsense", code=2).stderr


def test_capabilities(run):
    assert "| capability | toy |" in run("capabilities", "--backend", "toy", "--markdown").stdout
    document = json.loads(run("capabilities", "--json").stdout)
    assert "toy" in [backend["name"] for backend in document["backends"]]
    assert run("capabilities").stdout.startswith("capability ")


def test_plugins(run):
    rows = {row["name"]: row for row in json.loads(run("plugins", "--json").stdout)}
    assert rows["toy"]["status"] == "ok"
    assert rows["simulated"]["distribution"] == "llem-core"
    assert "llem-toy 1.0" in run("plugins").stdout
    assert "module       llem_toy_toy" in run("plugins", "show", "toy").stdout
    assert json.loads(run("plugins", "show", "toy", "--json").stdout)[0]["name"] == "toy"
    assert "No plugin is called 'x'" in run("plugins", "show", "x", code=3).stderr


def test_meters(run):
    rows = {row["name"]: row for row in json.loads(run("meters", "--json").stdout)}
    assert rows["simulated"]["opt_in"]
    assert rows["simulated"]["available"]
    assert "| simulated | yes |" in run("meters", "--markdown").stdout


def test_shapes(run):
    shapes = {shape["model_id"]: shape for shape in json.loads(run("shapes", "--json").stdout)}
    assert next(iter(shapes)) == "shape:tiny"
    sizes = [shape["parameters"] for shape in shapes.values()]
    assert sizes == sorted(sizes)
    small = shapes["shape:135m"]
    # The model card of SmolLM2-135M counts 134,515,008 parameters.
    assert small["parameters"] == 134_515_008
    assert small["weights_bytes"] == 269_030_016
    assert small["kv_bytes_per_token"] == 2 * 2 * small["num_hidden_layers"] * (
        small["num_key_value_heads"] * small["head_dim"]
    )
    assert "134,515,008" in run("shapes", "--markdown").stdout
    assert "shape:tiny" in run("shapes").stdout
    assert "| shape:tiny |" in run("shapes", "--markdown").stdout


def test_schema(run):
    toy = json.loads(run("schema", "--backend", "toy").stdout)
    assert toy["properties"]["backend"]["const"] == "toy"
    union = json.loads(run("schema").stdout)
    jsonschema.Draft202012Validator(union).validate({"backend": "toy"})
    assert "verdict" in json.loads(run("schema", "--outcome").stdout)["properties"]
    assert "--outcome" in run("schema", "--outcome", "--backend", "toy", code=2).stderr


def test_doctor_ends_well_or_says_what_failed(run, environment):
    assert "plugin toy" in run("doctor").stdout
    environment.install("llem-void", {"void": "1 / 0"})
    checks = json.loads(run("doctor", "--json", code=3).stdout)
    assert [check["name"] for check in checks if check["state"] == "failed"] == ["plugin void"]


def test_check_accepts(run, tmp_path):
    (tmp_path / "exp.yaml").write_text("backend: toy\nworkload: {requests: 3}\n")
    assert run("check", "exp.yaml").stdout == "ok: shape:tiny on toy, synthetic workload\n"
    document = json.loads(run("check", "exp.yaml", "--json").stdout)
    assert document["experiment"]["workload"]["requests"] == 3
    assert len(document["experiment_sha256"]) == 64
    assert document["warnings"] == []


def test_check_passes_warnings_on(run):
    result = run("check", "--backend", "toy", "--set", "workload.requests=7")
    assert "note: 7 is a lucky number." in result.stderr
    assert result.stdout.startswith("ok: ")


def test_check_lists_every_problem_on_its_own_lines(run, tmp_path):
    (tmp_path / "exp.yaml").write_text("backend: toy\nworkload:\n  requests: -1\nmodle: {}\n")
    lines = run("check", "exp.yaml", code=2).stderr.splitlines()
    errors = [line for line in lines if line.startswith("Error: ")]
    assert len(errors) == 2
    assert any("exp.yaml:3" in line and "workload.requests" in line for line in errors)
    assert any("exp.yaml:4" in line and "modle" in line for line in errors)


def test_check_asks_the_backend_about_this_machine(run):
    arguments = ("check", "--backend", "toy", "--set", "workload.requests=13")
    result = run(*arguments, code=2)
    assert result.stderr == "Error: --set: workload.requests: 13 requests bring bad luck.\n"
    error = json.loads(run(*arguments, "--json", code=2).stdout)["error"]
    assert error["code"] == "config-invalid"
    assert error["findings"][0]["code"] == "unlucky"


def test_check_shows_no_secret(run):
    secret = "hf_" + "s" * 34
    result = run("check", "--backend", "toy", "--json", "--set", f"runner.env.HF_TOKEN={secret}")
    assert secret not in result.output


def test_explain_prints_the_plan_as_python(run):
    text = run("explain", "--backend", "toy", "--model", "org/model").stdout
    tree = ast.parse(text)
    assert [type(node).__name__ for node in tree.body] == ["Import", "Expr"]
    assert "toybox.load('org/model', seed=7)" in text
    assert "#   speed = 3" in text


def test_explain_prints_the_plan_as_data(run):
    plan = json.loads(run("explain", "--backend", "toy", "--json").stdout)
    assert plan["settings"] == {"speed": 3}
    assert plan["calls"][0]["target"] == "toybox.load"
    # A shape is a folder for the engine.
    assert plan["calls"][0]["args"][0].startswith("/")


@pytest.mark.parametrize("command", ["check", "explain", "run"])
def test_an_unknown_backend_is_not_available(run, command):
    result = run(command, "--backend", "tyo", "--json", code=3)
    assert "Did you mean 'toy'?" in result.stderr
    error = json.loads(result.stdout)["error"]
    assert error["code"] == "backend-unknown"
    assert error["hint"].startswith("Installed backends: ")


@pytest.mark.parametrize("command", ["check", "explain", "run"])
def test_a_file_that_is_not_there_is_refused(run, command):
    assert "missing.yaml" in run(command, "missing.yaml", code=2).stderr
