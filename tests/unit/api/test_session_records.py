"""Records of a session that are made from objects of an engine."""

from types import SimpleNamespace

from llem.api.meters import gpu_device_id
from llem.api.session import TokenizerExport


def tokenizer(**changes):
    parts = {
        "backend_tokenizer": SimpleNamespace(to_str=lambda: "{}"),
        "chat_template": "template",
        "special_tokens_map": {"bos_token": "<s>", "additional": ["a"]},
    }
    return SimpleNamespace(**{**parts, **changes})


def test_a_tokenizer_of_transformers_becomes_data():
    assert TokenizerExport.from_transformers(tokenizer()) == TokenizerExport(
        tokenizer_json="{}", chat_template="template", special_tokens={"bos_token": "<s>"}
    )


def test_several_chat_templates_are_kept_by_name():
    templates = {"tools": "other", "default": "template"}
    several = tokenizer(chat_template=templates)
    assert TokenizerExport.from_transformers(several).chat_template == templates


def test_a_tokenizer_written_in_python_cannot_be_exported():
    assert TokenizerExport.from_transformers(SimpleNamespace(chat_template=None)) is None
    assert TokenizerExport.from_transformers(None) is None


def test_a_gpu_has_the_same_id_with_and_without_the_prefix():
    assert gpu_device_id("1-2") == gpu_device_id("GPU-1-2") == "cuda:GPU-1-2"
