"""Prompts from the config, from llem's own sets, and from Hugging Face datasets."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from llem.errors import WorkloadError
from llem.workload.prompt_sources import load_prompts

from .colors import FILES, TEXTS, texts_in, workload


def load(folder: Path, **values: object) -> list[str]:
    """Return the prompts of a workload."""
    return texts_in(folder, **values)


def test_a_synthetic_workload_has_no_texts(tmp_path: Path) -> None:
    assert load_prompts(workload(), tmp_path) is None
    assert load_prompts(workload(source="synthetic", requests=3), tmp_path) is None


@pytest.mark.parametrize("requests", [None, 1, 2, 3])
def test_prompts_of_the_config(requests: int | None, tmp_path: Path) -> None:
    given = ["one", "two\nlines", "ünï "]
    values = {"source": "prompts", "prompts": given, "requests": requests}
    assert load(tmp_path, **values) == given[:requests]


def test_more_prompts_than_the_config_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"requests is 2, but workload\.prompts holds 1 prompt"):
        load(tmp_path, source="prompts", prompts=["one"], requests=2)


def test_the_builtin_set(tmp_path: Path) -> None:
    texts = load(tmp_path, source="builtin")
    file = files("llem.workload") / "prompts" / "everyday.txt"
    # `head` and `wc` of a shell read the file in another way.
    first = subprocess.run(["head", "-n", "3", str(file)], capture_output=True, check=True)
    lines = subprocess.run(["wc", "-l", str(file)], capture_output=True, check=True)
    assert texts[:3] == first.stdout.decode().splitlines()
    assert len(texts) == int(lines.stdout.split()[0]) == 40
    assert len(set(texts)) == 40
    assert all(text == text.strip() != "" for text in texts)


@pytest.mark.parametrize("requests", [1, 39, 40])
def test_the_first_prompts_of_the_builtin_set(requests: int, tmp_path: Path) -> None:
    whole = load(tmp_path, source="builtin", name="everyday")
    assert load(tmp_path, source="builtin", requests=requests) == whole[:requests]
    assert len(whole[:requests]) == requests


def test_more_prompts_than_the_builtin_set_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="is 41, but prompt set 'everyday' holds 40 prompts"):
        load(tmp_path, source="builtin", requests=41)


def test_an_unknown_builtin_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="no built-in prompt set 'every-day'") as refused:
        load(tmp_path, source="builtin", name="every-day")
    assert refused.value.hint == "Known: everyday."


class TestDatasetStandIn:
    """On a library that stands for `datasets` and tells what it was asked."""

    @pytest.fixture(autouse=True)
    def _library(self, datasets_library: Path, folder: Path) -> None:
        self.id = str(folder / "dataset")

    @pytest.mark.parametrize("requests", [None, 1, 4, 5])
    def test_rows_in_their_order(self, requests: int | None, tmp_path: Path) -> None:
        texts = load(tmp_path, source="dataset", id=self.id, requests=requests)
        assert texts == TEXTS[:requests]

    def test_the_library_is_asked_for_what_the_config_says(self, tmp_path: Path) -> None:
        import datasets

        (Path(self.id) / "test.jsonl").write_text('{"title": "one"}')
        values = {"config": "main", "split": "test", "revision": "v1", "column": "title"}
        assert load(tmp_path, source="dataset", id=self.id, requests=1, **values) == ["one"]
        assert datasets.calls == [(self.id, "main", "test", "v1", True)]

    def test_the_first_hundred_rows_unless_told_otherwise(self, tmp_path: Path) -> None:
        rows = [json.dumps({"text": f"row {number}"}) for number in range(150)]
        (Path(self.id) / "train.jsonl").write_text("\n".join(rows))
        texts = load(tmp_path, source="dataset", id=self.id)
        assert texts == [f"row {number}" for number in range(100)]

    def test_fewer_rows_than_asked_for_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(WorkloadError, match=r"is 100, but dataset .* holds 5 prompts"):
            load(tmp_path, source="dataset", id=self.id)

    def test_an_unknown_split_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(WorkloadError, match="Unknown split 'dev'") as refused:
            load(tmp_path, source="dataset", id=self.id, split="dev")
        assert "split" in refused.value.hint

    def test_rows_that_cannot_be_read_are_refused(self, tmp_path: Path) -> None:
        (Path(self.id) / "train.jsonl").write_text('{"prompt": "one"}\nno JSON')
        with pytest.raises(WorkloadError, match="cannot load dataset"):
            load(tmp_path, source="dataset", id=self.id, requests=None)

    def test_an_unknown_column_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(WorkloadError, match="row 1 has no column 'promt'") as refused:
            load(tmp_path, source="dataset", id=self.id, column="promt")
        assert refused.value.hint == "Did you mean 'prompt'?"

    def test_rows_are_read_as_those_of_files(self, tmp_path: Path) -> None:
        rows = ['{"question": "q", "context": "c", "max_tokens": 7}']
        (Path(self.id) / "train.jsonl").write_text("\n".join(rows))
        asked = {"source": "dataset", "id": self.id, "requests": None}
        with pytest.raises(WorkloadError, match="row 1: column 'question' alone") as refused:
            load(tmp_path, **asked)
        assert r"{context}\n\n{question}" in refused.value.hint
        found = load_prompts(workload(**asked, template="{context} {question}"), tmp_path)
        assert found is not None
        assert [(prompt.content, prompt.output_tokens) for prompt in found.prompts] == [("c q", 7)]

    def test_numbers_and_halves_of_characters_are_refused(self, tmp_path: Path) -> None:
        asked = {"source": "dataset", "id": self.id, "requests": None}
        (Path(self.id) / "train.jsonl").write_text('{"prompt": "\\ud83d"}')
        with pytest.raises(WorkloadError, match="row 1: character 1 is half of a character"):
            load(tmp_path, **asked)
        (Path(self.id) / "train.jsonl").write_text('{"prompt": "12"}')
        with pytest.raises(WorkloadError, match="all prompts are numbers"):
            load(tmp_path, **asked)


@pytest.mark.parametrize("text", ["", " \n", "\ud83d"])
def test_prompts_of_the_config_are_checked(text: str, tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"workload\.prompts: prompt 2"):
        load(tmp_path, source="prompts", prompts=["one", text])


def test_a_dataset_needs_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)  # as if it were not installed
    with pytest.raises(WorkloadError, match="needs the `datasets` library") as refused:
        load(tmp_path, source="dataset", id="squad")
    assert "pip install" in refused.value.hint


class TestDatasetLibrary:
    """On the library itself, where it is installed."""

    @pytest.fixture(autouse=True)
    def _library(self) -> None:
        pytest.importorskip("datasets")

    @pytest.mark.parametrize("requests", [None, 3])
    def test_a_local_dataset(self, requests: int | None, tmp_path: Path) -> None:
        (tmp_path / "train.jsonl").write_text(FILES["colors.jsonl"])
        texts = load(tmp_path, source="dataset", id=str(tmp_path), requests=requests)
        assert texts == TEXTS[:requests]

    def test_a_split_and_a_column(self, tmp_path: Path) -> None:
        (tmp_path / "train.csv").write_text("title,body\na,b\n")
        (tmp_path / "test.csv").write_text("title,body\nc,d\n")
        values = {"split": "test", "column": "body", "requests": None}
        assert load(tmp_path, source="dataset", id=str(tmp_path), **values) == ["d"]

    @pytest.mark.parametrize("values", [{"id": "no/such-set"}, {"split": "dev"}])
    def test_what_cannot_be_loaded_is_refused(self, values: dict, tmp_path: Path) -> None:
        (tmp_path / "train.jsonl").write_text('{"text": "one"}')
        with pytest.raises(WorkloadError, match="cannot load dataset"):
            load(tmp_path, **{"source": "dataset", "id": str(tmp_path)} | values)
