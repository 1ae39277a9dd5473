"""Chat templates: the text a model sees, by hand and as transformers renders and encodes it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from llem.api.session import ModelInfo, TokenizerExport
from llem.errors import WorkloadError
from llem.schema.experiment import ModelConfig
from llem.workload.tokenizer_files import find_tokenizer

from .colors import NOON, build, prompts
from .templates import QUESTION, TEMPLATES

SPECIAL = ("<s>", "</s>", "<|im_start|>", "<|im_end|>")
MODEL = ModelInfo(vocab_size=300)


def byte_tokenizer() -> Tokenizer:
    """Return a tokenizer of bytes and four special tokens: its ids decode to the text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(alphabet)}
    bytewise = Tokenizer(models.BPE(vocabulary, []))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bytewise.decoder = decoders.ByteLevel()
    bytewise.add_special_tokens([AddedToken(text, special=True) for text in SPECIAL])
    return bytewise


def export_of(template: str | None) -> TokenizerExport:
    """Return the tokenizer of bytes with a chat template."""
    special_tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    return TokenizerExport(byte_tokenizer().to_str(), template, special_tokens)


def ids_of(template: str | None, text: str, folder: Path) -> list[int]:
    """Return the ids of a question in the template."""
    values = {"source": "prompts", "prompts": [text], "chat_template": True, "model": MODEL}
    [ids] = prompts(build(folder, export=export_of(template), **values))
    return ids


def text_of(template: str | None, text: str, folder: Path) -> str:
    """Return what the model sees."""
    ids = ids_of(template, text, folder)
    return byte_tokenizer().decode(ids, skip_special_tokens=False)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_by_hand(name: str, tmp_path: Path) -> None:
    template, expected = TEMPLATES[name]
    assert text_of(template, QUESTION, tmp_path) == expected.replace("{year}", f"{NOON:%Y}")


def test_special_tokens_of_a_template_are_single_ids(tmp_path: Path) -> None:
    # 256 bytes, then <s>, </s>, <|im_start|>, <|im_end|>
    ids = ids_of("{{ bos_token }}<|im_start|>{{ messages[0].content }}<|im_end|>", "é", tmp_path)
    assert [ids[0], ids[1], ids[-1]] == [256, 258, 259]
    assert len(ids) == 3 + len("é".encode())


@pytest.mark.parametrize(
    ("template", "message", "hint"),
    [
        (None, "no chat template", "workload.chat_template: false"),
        ("{% if %}", "not valid", ""),
        ("\n{{ raise_exception('user first') }}", "line 2: .* refuses the messages: user", ""),
        ("{{ messages[0].__class__.__mro__ }}", "line 1: .* raises SecurityError: .*unsafe", ""),
    ],
)
def test_a_template_that_cannot_be_used(
    template: str | None, message: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkloadError, match=message) as refused:
        text_of(template, QUESTION, tmp_path)
    assert hint in refused.value.hint


def test_without_chat_template_the_prompt_is_left_alone(tmp_path: Path) -> None:
    values = {"source": "prompts", "prompts": [QUESTION], "model": MODEL}
    [ids] = prompts(build(tmp_path, export=export_of("never {{ used }}"), **values))
    assert byte_tokenizer().decode(ids) == QUESTION


@pytest.mark.engine
class TestTransformers:
    """The same tokenizer, saved and applied by transformers."""

    def saved(self, template: str, folder: Path):
        from transformers import PreTrainedTokenizerFast

        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=byte_tokenizer(), bos_token="<s>", eos_token="</s>"
        )
        tokenizer.chat_template = template
        tokenizer.save_pretrained(folder)
        return tokenizer

    @pytest.mark.parametrize("name", TEMPLATES)
    def test_a_template_as_transformers_applies_it(self, name: str, tmp_path: Path) -> None:
        tokenizer = self.saved(TEMPLATES[name][0], tmp_path)
        messages = [{"role": "user", "content": QUESTION}]
        expected = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=True
        )
        export = find_tokenizer(ModelConfig(id=str(tmp_path)))
        values = {"source": "prompts", "prompts": [QUESTION], "chat_template": True}
        now = datetime.now()
        [ids] = prompts(build(tmp_path, export=export, model=MODEL, now=now, **values))
        assert ids == expected["input_ids"]

    def test_a_plain_prompt_as_transformers_encodes_it(self, tmp_path: Path) -> None:
        texts = [QUESTION, "<s>red</s> ", " x"]
        tokenizer = self.saved("", tmp_path)
        export = find_tokenizer(ModelConfig(id=str(tmp_path)))
        values = {"source": "prompts", "prompts": texts, "model": MODEL}
        assert prompts(build(tmp_path, export=export, **values)) == tokenizer(texts)["input_ids"]
