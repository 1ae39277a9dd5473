"""The embedded shapes: their size beside the published models', their folder, their tokenizer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers

from llem.schema.experiment import ModelConfig
from llem.workload.shape_catalog import SHAPES
from llem.workload.shape_folder import (
    CACHE_VARIABLE,
    byte_alphabet,
    cache_folder,
    shape_folder,
    tokenizer_json,
    write_shape,
)
from llem.workload.tokenizer_files import find_tokenizer

from .colors import build, prompts

PARAMETERS = {
    # 4 layers of attention 256·64·(2·4 + 2·2), MLP 3·256·688 and norms 2·256; embeddings; a norm
    "tiny": 4 * (196_608 + 528_384 + 512) + 1024 * 256 + 256,
    # as the models' files on the hub count them
    "135m": 134_515_008,
    "360m": 361_821_120,
    "1b": 1_235_814_400,
    "3b": 3_212_749_824,
    "8b": 8_030_261_248,
    "70b": 70_553_706_496,
}


def test_each_shape_has_as_many_parameters_as_the_model_it_resembles() -> None:
    assert {name: shape.parameters for name, shape in SHAPES.items()} == PARAMETERS


def test_shapes_are_listed_by_size() -> None:
    sizes = [shape.parameters for shape in SHAPES.values()]
    assert sizes == sorted(sizes)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_cache_is_the_users_unless_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == cache
    monkeypatch.delenv(CACHE_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == Path("/caches/llem")


@pytest.mark.parametrize("name", SHAPES)
def test_a_folder_is_written_once(name: str, cache: Path) -> None:
    planned = shape_folder(f"shape:{name}")
    assert not cache.exists()
    folder = write_shape(f"shape:{name}")
    assert folder == planned
    assert folder.parent == cache / "shapes"
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    (folder / "config.json").write_text("changed")
    assert write_shape(f"shape:{name}") == folder
    assert (folder / "config.json").read_text() == "changed"
    assert list(folder.parent.iterdir()) == [folder]


def test_the_name_of_the_folder_tells_contents_apart(cache: Path) -> None:
    names = {shape_folder(f"shape:{name}").name.rpartition("-")[2] for name in SHAPES}
    assert len(names) == len(SHAPES)


def test_an_unknown_shape_is_an_error(cache: Path) -> None:
    with pytest.raises(KeyError):
        write_shape("shape:7b")
    assert not cache.exists()


def test_processes_that_write_at_once_agree(cache: Path) -> None:
    code = "from llem.workload.shape_folder import write_shape; print(write_shape('shape:tiny'))"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    printed = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert {process.returncode for process in processes} == {0}
    assert printed == {str(shape_folder("shape:tiny"))}
    assert list((cache / "shapes").iterdir()) == [shape_folder("shape:tiny")]


def test_a_cache_that_cannot_be_written_is_an_error_and_leaves_nothing(cache: Path) -> None:
    cache.write_text("a file stands where the folder should be")
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        write_shape("shape:tiny")
    assert cache.is_file()


def test_the_alphabet_is_that_of_the_tokenizers_library() -> None:
    assert sorted(byte_alphabet()) == sorted(pre_tokenizers.ByteLevel.alphabet())


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_byte_of_a_text_is_one_token(text: str) -> None:
    tokenizer = Tokenizer.from_str(json.dumps(tokenizer_json()))
    special = {"<|begin|>", "<|end|>", "<|pad|>"}
    ids = tokenizer.encode(text).ids
    if not any(name in text for name in special):
        # ids 0 to 2 are special, and the bytes follow
        assert ids == [3 + byte for byte in text.encode()]
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


def test_the_chat_template_of_the_shapes(cache: Path, tmp_path: Path) -> None:
    export = find_tokenizer(ModelConfig(id=str(write_shape("shape:tiny"))))
    values = {"source": "prompts", "prompts": ["hi"], "chat_template": True, "export": export}
    [ids] = prompts(build(tmp_path, **values))
    assert bytes(token - 3 for token in ids) == b"user: hi\nassistant: "


@pytest.mark.engine
class TestTransformers:
    """The folder, read by transformers."""

    @pytest.mark.parametrize("name", SHAPES)
    def test_the_model_has_as_many_parameters(self, name: str, cache: Path) -> None:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        config = AutoConfig.from_pretrained(write_shape(f"shape:{name}"))
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
        assert model.num_parameters() == PARAMETERS[name]

    def test_the_tokenizer_gives_the_same_ids(self, cache: Path, tmp_path: Path) -> None:
        from transformers import AutoTokenizer

        folder = write_shape("shape:tiny")
        texts = ["Grüße, 日本!", " two\nlines ", "<|begin|>x"]
        tokenizer = AutoTokenizer.from_pretrained(folder)
        export = find_tokenizer(ModelConfig(id=str(folder)))
        built = build(tmp_path, source="prompts", prompts=texts, export=export)
        assert prompts(built) == tokenizer(texts)["input_ids"]
        assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (0, 1, 2)
