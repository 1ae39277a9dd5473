"""Finding the tokenizer of a model: in its folder, in the hub's cache, or in another place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llem.api.session import TokenizerExport
from llem.errors import WorkloadError
from llem.schema.experiment import ModelConfig
from llem.workload.tokenizer_files import find_tokenizer


def write(folder: Path, content: str, **config: Any) -> Path:
    """Write a tokenizer's files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(content, encoding="utf-8")
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def found(**model: Any) -> TokenizerExport | None:
    """Return the tokenizer that is found for a model of these values."""
    return find_tokenizer(ModelConfig(**model))


def test_a_folder_with_a_tokenizer_alone(tmp_path: Path) -> None:
    write(tmp_path, '{"grün": 1}')
    assert found(id=str(tmp_path)) == TokenizerExport(
        '{"grün": 1}', origin=f"{tmp_path}/tokenizer.json"
    )


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {}),
        ({"bos_token": "<s>", "eos_token": "</s>"}, {"bos_token": "<s>", "eos_token": "</s>"}),
        ({"bos_token": {"content": "<s>", "lstrip": False}}, {"bos_token": "<s>"}),
        ({"bos_token": None, "unk_token": "<unk>"}, {"unk_token": "<unk>"}),
        (
            {"add_bos_token": True, "model_max_length": 512, "pad_token": "<p>"},
            {"pad_token": "<p>"},
        ),
        ({"additional_special_tokens": ["<a>"]}, {}),
        ({"tokenizer_class": "Fast", "chat_template": "hi"}, {}),
    ],
)
def test_special_tokens(config: dict, expected: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, "{}", **config)
    assert found(id=str(tmp_path)).special_tokens == expected


NAMED = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "usual"}]


@pytest.mark.parametrize(
    ("of_config", "of_file", "expected"),
    [
        (None, None, None),
        ("config's", None, "config's"),
        (None, "file's\n", "file's\n"),
        ("config's", "file's", "file's"),
        (NAMED, None, {"tool_use": "tools", "default": "usual"}),
        (NAMED[:1], None, {"tool_use": "tools"}),
        ({"default": "usual", "rag": "r"}, None, {"default": "usual", "rag": "r"}),
        (NAMED, "file's", "file's"),
    ],
)
def test_the_chat_template(
    of_config: Any, of_file: str | None, expected: str | None, tmp_path: Path
) -> None:
    write(tmp_path, "{}", chat_template=of_config)
    if of_file is not None:
        (tmp_path / "chat_template.jinja").write_text(of_file)
    assert found(id=str(tmp_path)).chat_template == expected


def test_the_tokenizer_that_a_model_names_comes_first(tmp_path: Path) -> None:
    own, other = (
        write(tmp_path / "own", '{"is": "own"}'),
        write(tmp_path / "other", '{"is": "other"}'),
    )
    assert found(id=str(own)).tokenizer_json == '{"is": "own"}'
    assert found(id=str(own), tokenizer=str(other)).tokenizer_json == '{"is": "other"}'


def test_a_folder_without_a_tokenizer_has_none(tmp_path: Path) -> None:
    assert found(id=str(tmp_path)) is None


def test_a_named_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    own = write(tmp_path / "own", '{"is": "own"}')
    (tmp_path / "empty").mkdir()
    with pytest.raises(WorkloadError, match=r"empty has no tokenizer\.json"):
        found(id=str(own), tokenizer=str(tmp_path / "empty"))


def test_a_gguf_file_brings_its_own(tmp_path: Path) -> None:
    own, other = (
        write(tmp_path / "own", '{"is": "own"}'),
        write(tmp_path / "other", '{"is": "other"}'),
    )
    assert found(id=str(own), gguf_file="m.gguf") is None
    named = found(id=str(own), gguf_file="m.gguf", tokenizer=str(other))
    assert named.tokenizer_json == '{"is": "other"}'


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "model", '{"is": "home"}')
    monkeypatch.setenv("HOME", str(tmp_path))
    assert found(id="~/model").tokenizer_json == '{"is": "home"}'


class TestHub:
    """The cache of huggingface_hub, laid out as the library documents it."""

    @pytest.fixture(autouse=True)
    def _cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
        repository = tmp_path / "models--maker--model"
        (repository / "refs").mkdir(parents=True)
        for reference, commit in {"main": "a" * 40, "v1": "b" * 40}.items():
            (repository / "refs" / reference).write_text(commit)
            write(
                repository / "snapshots" / commit,
                f'{{"is": "{reference}"}}',
                bos_token=f"<{reference}>",
            )

    @pytest.mark.parametrize(
        ("revision", "expected"),
        [(None, "main"), ("main", "main"), ("v1", "v1"), ("b" * 40, "v1")],
    )
    def test_a_revision(self, revision: str | None, expected: str) -> None:
        export = found(id="maker/model", revision=revision)
        assert export.tokenizer_json == f'{{"is": "{expected}"}}'
        assert export.special_tokens == {"bos_token": f"<{expected}>"}

    def test_the_revision_is_the_models_and_not_that_of_another_tokenizer(self) -> None:
        export = found(id="maker/other", revision="v1", tokenizer="maker/model")
        assert export.tokenizer_json == '{"is": "main"}'

    @pytest.mark.parametrize(
        "model",
        [
            {"id": "maker/absent"},
            {"id": "maker/model", "revision": "v2"},
            {"id": "not a hub id"},
            {"id": "/no/such/folder"},
        ],
    )
    def test_what_is_not_cached_has_none(self, model: dict) -> None:
        assert found(**model) is None

    @pytest.mark.parametrize("name", ["maker/absent", "not a hub id"])
    def test_a_named_tokenizer_that_is_not_cached_is_refused(self, name: str) -> None:
        with pytest.raises(WorkloadError, match=f"{name} has no"):
            found(id="maker/model", tokenizer=name)
