"""Shapes and local folders that are not there."""

from pathlib import Path

import pytest

from llem.config.model_files import model_problems
from llem.schema.experiment import ModelConfig
from llem.workload.shape_catalog import SHAPES


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def problems(**model):
    return [
        " ".join(filter(None, (finding.path, finding.message, finding.hint)))
        for finding in model_problems(ModelConfig(**model))
    ]


def test_every_shape_is_known():
    assert [problems(id=f"shape:{name}") for name in SHAPES] == [[] for _ in SHAPES]


def test_the_nearest_shape_is_named():
    assert problems(id="shape:tny") == ['model.id there is no shape "tny" Did you mean shape:tiny?']
    assert problems(id="shape:TINY")[0].endswith("Did you mean shape:tiny?")
    assert "Known: shape:tiny, shape:135m" in problems(id="shape:")[0]


@pytest.mark.parametrize("id", ["org/model", "gpt2", "models/foo", "a/b.GGUF:Q4_K_M", "s3://a/b"])
def test_what_may_be_a_hub_id_is_the_engines_to_judge(id):
    assert problems(id=id) == []


@pytest.mark.parametrize(
    ("id", "hint"),
    [
        ("https://huggingface.co/a/b", "its id alone: a/b."),
        ("HTTPS://huggingface.co/a/b/tree/main", "its id alone: a/b."),
        ("SHAPE:tiny", "Did you mean shape:tiny?"),
        ("a b/c", "owner/name"),
        ("a\0b", "owner/name"),
        ("a\nb", "owner/name"),
        ("a\n", "owner/name"),
        ("a/b/c", "owner/name"),
        ("a--b", "owner/name"),
        ("a/..", "owner/name"),
        (".a/b", "owner/name"),
        ("", "owner/name"),
        ("é/b", "owner/name"),
        ("x" * 5000, "owner/name"),
    ],
)
def test_what_no_hub_can_have_is_refused(id, hint):
    for model in ({"id": id}, {"id": "org/model", "tokenizer": id}):
        if not id and "tokenizer" not in model:
            continue  # the schema refuses it
        (problem,) = problems(**model)
        assert problem.startswith(f"model.{list(model)[-1]} ")
        assert hint in problem
        assert "\n" not in problem
        assert "\0" not in problem
        assert len(problem) < 300


@pytest.mark.parametrize("id", ["./no", "../no", "/no/such", "~/no", "~no-such-user/x", "~"])
def test_what_can_only_be_a_path_must_be_a_folder(id, folder):
    (problem,) = problems(id=id)
    assert problem.startswith("model.id ")
    assert id in problem
    assert "config.json" in problem


def test_a_folder_needs_a_config(folder):
    model = folder / "models" / "foo"
    model.mkdir(parents=True)
    for id in ("models/foo", "./models/foo", str(model), "~/models/foo"):
        assert problems(id=id) == [
            f"model.id the folder {id} has no config.json, so it holds no model"
        ]
    (model / "config.json").write_text("{}")
    for id in ("models/foo", "./models/foo", str(model), "~/models/foo"):
        assert problems(id=id) == []


def test_a_folder_with_a_gguf_file_is_told_to_name_it(folder):
    (folder / "foo").mkdir()
    (folder / "foo" / "model.Q4.gguf").touch()
    assert problems(id="foo")[0].endswith("Name its GGUF file: model.gguf_file: model.Q4.gguf.")
    assert problems(id="foo", gguf_file="model.Q4.gguf") == []
    assert problems(id="foo", gguf_file="model.q4.gguf") == [
        "model.gguf_file the folder foo has no file model.q4.gguf Did you mean model.Q4.gguf?"
    ]


def test_a_file_is_no_folder(folder):
    Path("model.gguf").touch()
    assert "a GGUF file is named by its folder here" in problems(id="./model.gguf")[0]


def test_a_folder_has_no_revision(folder):
    (folder / "foo").mkdir()
    (folder / "foo" / "config.json").write_text("{}")
    assert problems(id="foo", revision="main") == [
        "model.revision the folder foo has no revisions Remove model.revision."
    ]


def test_another_tokenizer_must_be_there(folder):
    assert problems(tokenizer="./no") == ["model.tokenizer there is no folder ./no"]
    assert problems(tokenizer="org/tokenizer") == []
