"""The files of a checkpoint's tokenizer, as transformers reads them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.decoders import Metaspace as MetaspaceDecoder
from tokenizers.pre_tokenizers import Metaspace

from llem.errors import WorkloadError
from llem.schema.experiment import ModelConfig
from llem.workload.prompt import Prompt
from llem.workload.tokenizer_files import find_tokenizer, no_tokenizer
from llem.workload.tokenizing import encode_prompts

from .colors import workload
from .test_chat_template import byte_tokenizer

NOW = datetime(2031, 3, 4, 12)
TEMPLATE = "{{ bos_token }}|{{ messages[0].content }}|{{ eos_token }}{{ image_token }}"
FLAGS = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": False}


def token(text: str, **flags: bool) -> dict[str, Any]:
    """Return a token as ``tokenizer_config.json`` lists it."""
    return {"content": text, **FLAGS, "special": True, **flags}


def saved(folder: Path, files: dict[str, Any], tokenizer: Tokenizer | None = None) -> Path:
    """Write a tokenizer and its further files."""
    folder.mkdir(exist_ok=True)
    (tokenizer or byte_tokenizer()).save(str(folder / "tokenizer.json"))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def ids_of(folder: Path, text: str, **values: Any) -> list[int]:
    """Return the ids that llem finds for one prompt."""
    export = find_tokenizer(ModelConfig(id=str(folder)))
    assert export is not None
    section = workload(source="prompts", prompts=[text], **values)
    [ids] = encode_prompts(section, [Prompt(text, place="row 1")], export, NOW).ids
    assert ids is not None
    return ids


CONFIG = {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE}
CHECKPOINTS: dict[str, dict[str, Any]] = {
    "no names": {"tokenizer_config.json": CONFIG},
    "names in the config": {
        "tokenizer_config.json": CONFIG | {"bos_token": "<s>", "eos_token": "</s>"}
    },
    "names in the map": {
        "tokenizer_config.json": CONFIG,
        "special_tokens_map.json": {"bos_token": "<s>", "eos_token": token("</s>")},
    },
    "the map wins": {
        "tokenizer_config.json": CONFIG | {"bos_token": "</s>"},
        "special_tokens_map.json": {"bos_token": "<s>"},
    },
    "no map beside a list of added tokens": {
        "tokenizer_config.json": CONFIG
        | {"added_tokens_decoder": {"256": token("<s>")}, "eos_token": "</s>"},
        "special_tokens_map.json": {"bos_token": "<s>"},
    },
    "tokens as objects": {
        "tokenizer_config.json": CONFIG
        | {
            "bos_token": token("<s>") | {"__type": "AddedToken"},
            "image_token": token("<im>") | {"__type": "AddedToken"},
        }
    },
    "a name of the model's own": {"tokenizer_config.json": CONFIG | {"image_token": "<im>"}},
    "names among the extra tokens": {
        "tokenizer_config.json": CONFIG | {"extra_special_tokens": {"image_token": "<im>"}}
    },
    "further special tokens": {
        "tokenizer_config.json": CONFIG | {"additional_special_tokens": ["<a>", "<b>"]}
    },
    "further special tokens in the map": {
        "tokenizer_config.json": CONFIG,
        "special_tokens_map.json": {"additional_special_tokens": ["<a>", "<b>"]},
    },
    "added tokens that the tokenizer lacks": {
        "tokenizer_config.json": CONFIG
        | {
            "added_tokens_decoder": {
                "261": token("<b>", special=False, rstrip=True),
                "260": token("<a>", lstrip=True),
                "256": token("<s>"),
            }
        }
    },
    "added tokens in a file of their own": {
        "tokenizer_config.json": CONFIG,
        "added_tokens.json": {"<b>": 261, "<a>": 260, "<s>": 256},
    },
    "special tokens as text": {
        "tokenizer_config.json": CONFIG | {"split_special_tokens": True, "bos_token": "<s>"}
    },
    "a file beside the config": {
        "tokenizer_config.json": CONFIG,
        "chat_template.jinja": "file: {{ messages[0].content }}\r\n",
    },
    "named templates": {
        "tokenizer_config.json": CONFIG
        | {
            "chat_template": [
                {"name": "tool_use", "template": "tools {{ tools }}"},
                {"name": "default", "template": TEMPLATE},
            ]
        }
    },
    "templates by name": {
        "tokenizer_config.json": CONFIG | {"chat_template": {"default": TEMPLATE, "rag": "r"}}
    },
    "templates in files": {
        "tokenizer_config.json": CONFIG,
        "chat_template.jinja": "file: {{ messages[0].content }}",
        "additional_chat_templates/rag.jinja": "rag: {{ messages[0].content }}",
    },
    "no config": {"chat_template.jinja": TEMPLATE},
}


@pytest.mark.engine
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_as_transformers_reads_it(name: str, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = saved(tmp_path, CHECKPOINTS[name])
    theirs = AutoTokenizer.from_pretrained(folder)
    text = "x <s> <a>  <b> </s><im>"
    messages = [{"role": "user", "content": text}]
    expected = theirs.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
    assert ids_of(folder, text, chat_template=True) == expected["input_ids"]
    assert ids_of(folder, text) == theirs(text)["input_ids"]
    export = find_tokenizer(ModelConfig(id=str(folder)))
    assert export is not None
    assert export.special_tokens == theirs.special_tokens_map


@pytest.mark.engine
@pytest.mark.parametrize("level", ["bytes", "words"])
@pytest.mark.parametrize("form", ["Tokenizer", "TokenizerFast"])
@pytest.mark.parametrize("family", ["Llama", "GPT2", "GPTNeoX", "Qwen2", "Gemma", "Cohere"])
def test_special_tokens_that_the_class_brings(
    family: str, form: str, level: str, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    tokenizer = byte_tokenizer()
    if level == "words":
        tokenizer.pre_tokenizer, tokenizer.decoder = Metaspace(), MetaspaceDecoder()
    config = {"tokenizer_class": f"{family}{form}", "bos_token": None, "unk_token": "<s>"}
    for given in (config, {"tokenizer_class": f"{family}{form}"}):
        saved(tmp_path, {"tokenizer_config.json": given}, tokenizer)
        export = find_tokenizer(ModelConfig(id=str(tmp_path)))
        assert export is not None
        assert export.special_tokens == AutoTokenizer.from_pretrained(tmp_path).special_tokens_map


@pytest.mark.engine
def test_a_named_template_as_transformers_applies_it(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = saved(tmp_path, CHECKPOINTS["templates in files"])
    theirs = AutoTokenizer.from_pretrained(folder)
    messages = [{"role": "user", "content": "hi"}]
    expected = theirs.apply_chat_template(messages, chat_template="rag", return_dict=True)
    assert ids_of(folder, "hi", chat_template="rag") == expected["input_ids"]


@pytest.mark.engine
def test_tools_choose_the_template_for_tools(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = saved(tmp_path, CHECKPOINTS["named templates"])
    theirs = AutoTokenizer.from_pretrained(folder)
    messages, tools = [{"role": "user", "content": "hi"}], [{"name": "f"}]
    expected = theirs.apply_chat_template(messages, tools=tools, return_dict=True)
    found = ids_of(folder, "hi", chat_template=True, chat_template_kwargs={"tools": tools})
    assert found == expected["input_ids"]


def test_the_template_of_a_processor_is_the_last_resort(tmp_path: Path) -> None:
    files = {"chat_template.json": {"chat_template": "p {{ messages[0].content }}"}}
    ids = ids_of(saved(tmp_path, files), "hi", chat_template=True)
    assert byte_tokenizer().decode(ids) == "p hi"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tokenizer_config.json": "{bad"}, r"tokenizer_config\.json is not JSON: .*line 1"),
        ({"tokenizer_config.json": []}, r"tokenizer_config\.json holds no JSON object"),
        ({"special_tokens_map.json": "<"}, r"special_tokens_map\.json is not JSON"),
        ({"tokenizer.json": "{"}, r"tokenizer\.json is not JSON"),
        ({"tokenizer.json": "[]"}, r"tokenizer\.json holds no JSON object"),
        ({"tokenizer.json": "{}"}, r"tokenizer\.json is no tokenizer that llem can read: "),
        (
            {"tokenizer_config.json": {"chat_template": [{"template": "x"}]}},
            r"tokenizer_config\.json, chat_template is neither a text nor texts by name",
        ),
        (
            {"tokenizer_config.json": {"added_tokens_decoder": {"one": token("<s>")}}},
            r"tokenizer_config\.json, added_tokens_decoder is no object of tokens by id",
        ),
        (
            {"tokenizer_config.json": {"added_tokens_decoder": {"1": "<s>"}}},
            r"tokenizer_config\.json, added_tokens_decoder is no list of tokens",
        ),
        (
            {"chat_template.jinja": "\n\n{% if %}"},
            r"chat_template\.jinja, line 3: the chat template is not valid: ",
        ),
        (
            {"tokenizer_config.json": {"chat_template": "a\n{{ messages.x.y }}"}},
            r"tokenizer_config\.json, chat_template, line 2: .* raises UndefinedError: ",
        ),
        (
            {"chat_template.jinja": "{% for tool in documents %}{% endfor %}"},
            r"chat_template\.jinja, line 1: .* raises TypeError: 'NoneType' object is not iter",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    files: dict[str, Any], message: str, tmp_path: Path
) -> None:
    folder = saved(tmp_path, files)
    with pytest.raises(WorkloadError, match=message):
        ids_of(folder, "hi", chat_template=True)


def test_a_pre_tokenizer_that_the_library_does_not_know_is_named(tmp_path: Path) -> None:
    document = json.loads(byte_tokenizer().to_str())
    document["pre_tokenizer"] = {"type": "Quantum"}
    folder = saved(tmp_path, {"tokenizer.json": document})
    with pytest.raises(WorkloadError, match=r"tokenizer\.json is no tokenizer .*Pre") as refused:
        ids_of(folder, "hi")
    assert "Update that package" in refused.value.hint


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    folder = saved(tmp_path, {})
    (folder / "chat_template.jinja").write_bytes(b"\xff\xfe")
    with pytest.raises(WorkloadError, match=r"chat_template\.jinja is not UTF-8 text"):
        ids_of(folder, "hi", chat_template=True)


def test_templates_without_a_default_are_listed(tmp_path: Path) -> None:
    named = [{"name": "rag", "template": "r"}, {"name": "chat", "template": "c"}]
    folder = saved(tmp_path, {"tokenizer_config.json": {"chat_template": named}})
    with pytest.raises(WorkloadError, match="no chat template named default") as refused:
        ids_of(folder, "hi", chat_template=True)
    assert "one of: chat, rag" in refused.value.hint
    assert ids_of(folder, "hi", chat_template="chat")


@pytest.mark.parametrize("file", ["tokenizer.model", "vocab.json"])
def test_a_tokenizer_of_another_form_is_refused_with_its_remedy(file: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text("{}")
    model = ModelConfig(id=str(tmp_path))
    assert find_tokenizer(model) is None  # the engine may read it
    assert f"It has {file}: convert it once" in no_tokenizer(model).hint
    with pytest.raises(WorkloadError, match=r"has no tokenizer\.json") as refused:
        find_tokenizer(ModelConfig(id="other", tokenizer=str(tmp_path)))
    assert "save_pretrained" in refused.value.hint
