"""Hostile text, devices and full disks end in one message, with a documented exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from llem.cli import main
from llem.cli.error_output import EXIT_CODES

CONFIGS = {
    "a character beyond Unicode": 'backend: "\\U00110000"',
    "a character far beyond Unicode": 'backend: "\\UFFFFFFFF"',
    "a NUL in a name": 'name: "a\\0b"\nbackend: simulated',
    "a NUL in a key": '"a\\0b": 1',
    "a NUL in an id": 'backend: simulated\nmodel: {id: "a\\0b"}',
    "a NUL in a path": 'backend: simulated\nworkload: {source: file, path: "a\\0b"}',
    "a NUL in a variable": 'backend: simulated\nrunner: {env: {A: "x\\0y"}}',
    "a NUL in a variable's name": 'backend: simulated\nrunner: {env: {"A\\0B": x}}',
    "a variable with =": 'backend: simulated\nrunner: {env: {"A=B": x}}',
    "a variable without a name": 'backend: simulated\nrunner: {env: {"": x}}',
    "a NUL in a base file": 'extends: "a\\0b"',
    "a base file that links to itself": "extends: loop.yaml",
    "a base file in a link to itself": "extends: loop.yaml/base.yaml",
    "a base file that is a device": "extends: /dev/zero",
    "a base file that is a folder": "extends: .",
    "a base file of a long name": f"extends: {'x' * 5000}",
    "a lone surrogate": 'backend: simulated\nname: "\\ud83d"',
    "a long unknown backend": f"backend: {'x' * 100_000}",
    "a long unknown key": f"backend: simulated\n{'x' * 1000}: 1",
    "a long unknown meter": f"backend: simulated\nmeasurement: {{meters: [{'x' * 100_000}]}}",
    "a long unknown reason": "backend: simulated\nmeasurement: {thresholds: {allow: ["
    + "x" * 100_000 + "]}}",
    "a long id": f"backend: simulated\nmodel: {{id: {'x' * 100_000}}}",
    "a long shape": f"backend: simulated\nmodel: {{id: 'shape:{'x' * 100_000}'}}",
    "a grid over backends": "backend: simulated\nsweep: {backend: [simulated, pytorch]}",
    "a variant of another backend": "backend: pytorch\nvariants: [{backend: simulated}]",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("loop.yaml").symlink_to("loop.yaml")
    return tmp_path


@pytest.mark.parametrize("text", CONFIGS.values(), ids=list(CONFIGS))
@pytest.mark.parametrize("command", ["check", "explain", "run"])
def test_a_config_ends_in_one_message(folder, text, command):
    Path("config.yaml").write_text(text)
    done = CliRunner().invoke(main, [command, "config.yaml"])
    assert done.exit_code == (3 if text.startswith("backend: xxx") else 2)
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr) < 3000
    assert "\0" not in done.stderr
    assert not Path("results").exists()


def llem(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "llem", *arguments],
        stderr=subprocess.PIPE, text=True, timeout=60, check=False, **options,
    )  # fmt: skip


QUICK = (
    "--backend", "simulated", "--set", "workload={requests: 2, output_tokens: 4}",
    "--set", "measurement={min_duration_s: 0.02, max_duration_s: 1, sample_period_s: 0.01, "
    "target_ci_ratio: 0.9, baseline: {bare_s: 0, loaded_s: 0, after_s: 0}}",
)  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize(
    "arguments", [("params",), ("schema",), ("check", "--backend", "simulated", "--json")]
)
def test_a_full_disk_behind_the_output_is_one_message(folder, arguments):
    with Path("/dev/full").open("w") as full:
        done = llem(*arguments, stdout=full)
    assert done.returncode == 4
    assert done.stderr == "Error: standard output cannot be written: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("more", [("--json",), ()])
def test_an_outcome_that_cannot_be_printed_is_stored_and_its_folder_named(folder, more):
    with Path("/dev/full").open("w") as full:
        done = llem("run", *QUICK, *more, stdout=full)
    (stored,) = Path("results").iterdir()
    assert json.loads((stored / "outcome.json").read_text())["status"] == "done"
    assert done.returncode == 4
    assert f"stored in results/{stored.name}" in done.stderr
    assert "standard output cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "explain"])
def test_a_config_from_a_pipe_is_read_once(folder, command):
    read, write = os.pipe()
    os.write(write, b"backend: simulated\nworkload: {source: file, path: prompts.txt}\n")
    os.close(write)
    Path("prompts.txt").write_text("a prompt\n")  # beside the caller, not in /dev/fd
    done = llem(command, f"/dev/fd/{read}", pass_fds=[read], stdout=subprocess.DEVNULL)
    os.close(read)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_study_from_standard_input_is_read_once(folder, command):
    text = "backend: simulated\nsweep: {simulated.batch_size: [1, 2]}\n"
    done = llem(command, "/dev/stdin", input=text, stdout=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--out", ""),
        ("check", ""),
        ("report", "results", "--out", ""),
        ("results", "list", ""),
    ],
)
def test_a_path_without_a_name_is_refused(folder, arguments):
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == 2
    assert "the name is empty" in done.stderr


def test_a_link_to_nothing_is_called_that(folder):
    Path("results").symlink_to("nowhere")
    for out in ("results", "results/sub"):
        done = CliRunner().invoke(main, ["run", *QUICK, "--out", out])
        assert done.exit_code == 2
        assert "results is a link to a folder that does not exist" in done.stderr


@pytest.mark.parametrize("text", ["{}", "[]", '"x"', "nonsense", '{"name": 1}', "[" * 100_000])
def test_a_damaged_manifest_is_one_message(folder, text):
    Path("study.yaml").write_text("backend: simulated\nsweep: {simulated.batch_size: [1, 2]}\n")
    study = Path("results/study")
    study.mkdir(parents=True)
    (study / "study.json").write_text(text)
    (study / "journal.jsonl").write_text("")
    done = CliRunner().invoke(main, ["run", "study.yaml", "--resume"])
    assert done.exit_code == 4
    assert done.stderr.startswith("Error: results/study/study.json does not describe a study: ")
    assert "__init__" not in done.stderr


def test_every_exit_code_of_these_tests_is_documented():
    assert {0, 2, 3, 4} <= EXIT_CODES.keys()
