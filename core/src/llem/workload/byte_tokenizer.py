"""The tokenizer of the embedded shapes: byte-level, one id per byte of UTF-8, no merges."""

from __future__ import annotations

import json
from typing import Any

BEGIN, END, PADDING = "<|begin|>", "<|end|>", "<|pad|>"
BEGIN_ID, END_ID, PADDING_ID = 0, 1, 2
_SPECIAL = (BEGIN, END, PADDING)

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def byte_alphabet() -> list[str]:
    """Return the 256 printable characters that stand for the bytes 0 to 255.

    GPT-2's mapping: printable Latin-1 bytes map to themselves, the others to code points from 256.
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    moved = iter(range(256, 512))
    return [chr(byte if byte in printable else next(moved)) for byte in range(256)]


def tokenizer_json() -> dict[str, Any]:
    """Return the content of ``tokenizer.json``."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    texts = [*_SPECIAL, *byte_alphabet()]
    tokenizer = Tokenizer(models.BPE({text: id for id, text in enumerate(texts)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(_SPECIAL))
    content: dict[str, Any] = json.loads(tokenizer.to_str())
    return content


def tokenizer_config() -> dict[str, Any]:
    """Return the content of ``tokenizer_config.json``."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BEGIN,
        "eos_token": END,
        "pad_token": PADDING,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
    }
