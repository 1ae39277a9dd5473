"""`check`, `explain`, `plan` and `run` refuse the same configs, in the same words."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from llem.cli import main

from .quick_experiments import QUICK

REFUSED = {
    "passthrough of an argument that is set": (
        {"backend": "pytorch", "passthrough_kwargs": {"load": {"dtype": "x"}}},
        "passthrough_kwargs.load may not set dtype (set by ",
    ),
    "passthrough of a limit": (
        {"backend": "pytorch", "passthrough_kwargs": {"generate": {"max_new_tokens": 1}}},
        "passthrough_kwargs.generate may not set max_new_tokens",
    ),
    "passthrough to no call": (
        {"backend": "pytorch", "passthrough_kwargs": {"laod": {"x": 1}}},
        "passthrough_kwargs.laod: the plan has no call of this name",
    ),
    "prompts that are not there": (
        {"workload": {"source": "file", "path": "gone.txt"}},
        "gone.txt does not exist",
    ),
    "too few prompts in a file": (
        {"workload": {"source": "file", "path": "three.txt", "requests": 5}},
        "holds 3 prompts",
    ),
    "too few prompts in the config": (
        {"workload": {"source": "prompts", "prompts": ["a", "b"], "requests": 3}},
        "holds 2 prompts",
    ),
    "an unknown set of prompts": (
        {"workload": {"source": "builtin", "name": "everday"}},
        "there is no built-in prompt set",
    ),
    "an unknown meter": ({"measurement": {"meters": ["nvlm"]}}, "Did you mean nvml?"),
    "a meter that does not work": (
        {"measurement": {"meters": ["trace"]}},
        "meter 'trace' does not work here: no file is given",
    ),
    "a named trace that is not there": (
        {"measurement": {"meters": ["trace"], "trace": {"file": "missing.csv"}}},
        "missing.csv cannot be read",
    ),
    "a trace that is not there, and all meters": (
        {"measurement": {"trace": {"file": "missing.csv"}}},
        "missing.csv cannot be read",
    ),
    "a trace that never ends": (
        {"measurement": {"trace": {"file": "/dev/zero"}}},
        "/dev/zero cannot be read: it is no regular file",
    ),
    "a trace that no meter reads": (
        {"measurement": {"meters": ["simulated"], "trace": {"file": "three.txt"}}},
        "it acts only with the meter trace",
    ),
    "prompts that never end": (
        {"workload": {"source": "file", "path": "/dev/zero"}},
        "/dev/zero",
    ),
    "an unknown chat template": (
        {"workload": {"source": "prompts", "prompts": ["a"], "chat_template": "nonsense"}},
        "the model has no chat template named nonsense",
    ),
    "an empty prompt": (
        {"workload": {"source": "prompts", "prompts": ["a", ""]}},
        "the prompt is empty",
    ),
    "no interpreter": ({"runner": {"python": "/no/python"}}, "there is no program /no/python"),
    "a folder for an interpreter": ({"runner": {"python": "/"}}, "there is no program /"),
    "an address": ({"model": {"id": "https://huggingface.co/a/b"}}, "its id alone: a/b."),
    "a shape in capitals": ({"model": {"id": "SHAPE:tiny"}}, "Did you mean shape:tiny?"),
    "a blank in an id": ({"model": {"id": "a b/c"}}, '"a b/c" is no hub id'),
    "a line break in an id": ({"model": {"id": "a\nb"}}, '"a\\nb" is no hub id'),
    "folders that are not there": ({"model": {"id": "a/b/c"}}, '"a/b/c" is no hub id'),
    "an id of another tokenizer": ({"model": {"tokenizer": "a b"}}, "model.tokenizer"),
    "an unknown reason": ({"measurement": {"thresholds": {"allow": ["throtled"]}}}, "throttled?"),
    "several reasons at once, in one order": (
        {
            "runner": {"python": "/no/python"},
            "workload": {"source": "file", "path": "gone.txt"},
            "measurement": {"meters": ["nvlm"]},
        },
        "there is no program /no/python",
    ),
}  # fmt: skip
"""Configs, each with a part of what is said about it."""

STUDY = {"sweep": {"workload.seed": [1, 2]}, "study": {"name": "study"}}


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Return a function that calls a command on `config.yaml`: its exit code, and what it says."""
    monkeypatch.chdir(tmp_path)
    Path("three.txt").write_text("a\nb\nc\n")

    def said(command, config, *more):
        Path("config.yaml").write_text(yaml.safe_dump({"backend": "simulated", **config}))
        done = CliRunner().invoke(main, [command, "config.yaml", *more])
        assert not isinstance(done.exception, Exception), done.exception
        return done.exit_code, done.stderr

    return said


@pytest.mark.parametrize(("config", "message"), REFUSED.values(), ids=list(REFUSED))
def test_an_experiment_is_refused_alike(said, config, message):
    code, text = said("check", config)
    assert code == 2
    assert message in text
    assert said("explain", config) == (code, text)
    assert said("run", config, "--dry-run") == (code, text)
    assert said("run", config) == (code, text)
    assert not Path("results").exists()


@pytest.mark.parametrize(("config", "message"), REFUSED.values(), ids=list(REFUSED))
def test_a_study_is_refused_alike(said, config, message):
    study = {**config, **STUDY}
    code, text = said("check", study)
    assert code == 2
    assert message in text
    assert said("plan", study) == (code, text)
    assert said("explain", study) == (code, text)
    assert said("run", study) == (code, text)
    assert not Path("results").exists()


def test_every_refusal_is_named_in_one_order(said):
    config, _ = REFUSED["several reasons at once, in one order"]
    _, text = said("check", config)
    places = [text.index(part) for part in ("/no/python", "gone.txt", "'nvlm'")]
    assert places == sorted(places)


def test_a_study_with_a_point_that_cannot_run_here_is_refused_before_its_first_run(said):
    """All runs of a study are made, or none."""
    study = {
        "variants": [{}, {"workload": {"source": "file", "path": "gone.txt"}}],
        "study": {"name": "study"},
    }
    answers = [said(command, study) for command in ("check", "plan", "explain", "run")]
    assert answers == [answers[0]] * 4
    code, text = answers[0]
    assert code == 2
    assert "gone.txt does not exist" in text
    assert "1 of 2 experiments cannot run here, so none is run" in text
    assert not Path("results").exists()


def test_a_point_that_a_rule_refuses_is_left_out_alike(said):
    study = {"sweep": {"model.revision": [None, "v1"], "simulated.batch_size": [1, 2]}}
    code, text = said("check", study)
    assert code == 0
    assert "2 points are refused" in text
    assert said("plan", study)[0] == said("explain", study)[0] == 0


def test_a_resumed_study_checks_only_what_is_left(said):
    """What is measured already needs its files no more."""
    study = {**QUICK, **STUDY}
    study["workload"] = {"source": "file", "path": "three.txt", "output_tokens": 4}
    assert said("run", study, "--quiet")[0] == 0
    Path("three.txt").unlink()
    assert said("run", study, "--quiet", "--resume")[0] == 0
    assert said("check", study)[0] == 2
    assert len(json.loads(Path("results/study/study.json").read_text())["runs"]) == 2


@pytest.mark.parametrize("limit", ["start_s", "open_s", "run_s", "experiment_s", "silence_s"])
def test_a_time_limit_of_zero_is_refused(said, limit):
    """With it nothing could ever succeed."""
    code, text = said("check", {"runner": {"timeouts": {limit: 0}}})
    assert code == 2
    assert f"runner.timeouts.{limit}: must be greater than 0" in text


@pytest.mark.parametrize(
    ("backend", "section", "meant"),
    [
        ("vllm", {"attention_config": {"backend": "x"}}, "Did you mean vllm.attention_backend?"),
        ("simulated", {"batchsize": 2}, "Did you mean batch_size?"),
    ],
)
def test_a_key_in_the_wrong_place_is_put_right(said, backend, section, meant):
    code, text = said("check", {"backend": backend, backend: section})
    assert code == 2
    assert meant in text
