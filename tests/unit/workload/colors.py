"""Five prompts of color words, their ids by a tokenizer of nine words, and ways to store them."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from llem.api.session import ModelInfo, TokenizerExport
from llem.schema.workload import TextWorkload, Workload
from llem.workload.build_workload import PreparedWorkload, build_workload
from llem.workload.prompt_sources import load_prompts
from llem.workload.tokenizing import encode_prompts

VOCABULARY = {
    "<unk>": 0, "<s>": 1, "</s>": 2, "user:": 3, "assistant:": 4,
    "red": 5, "green": 6, "blue": 7, "white": 8, "black": 9,
}  # fmt: skip

TEXTS = [
    "red green blue white",
    "black",
    "green green red",
    "white",
    "blue black red green white black",
]
PLAIN = [[5, 6, 7, 8], [9], [6, 6, 5], [8], [7, 9, 5, 6, 8, 9]]
CHAT = [[3, 5, 6, 7, 8, 4], [3, 9, 4], [3, 6, 6, 5, 4], [3, 8, 4], [3, 7, 9, 5, 6, 8, 9, 4]]

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }} {% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)

NOON = datetime(2031, 3, 4, 12)

MODEL = ModelInfo(vocab_size=10, eos_token_ids=[2], special_token_ids=[1])

_WORKLOAD: TypeAdapter[Workload] = TypeAdapter(Workload)


def tokenizer(**changes: Any) -> TokenizerExport:
    """Return the tokenizer of the nine words; ``changes`` replace parts of its JSON."""
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": VOCABULARY, "unk_token": "<unk>"},
    }
    return TokenizerExport(json.dumps(document | changes), CHAT_TEMPLATE, {"bos_token": "<s>"})


def workload(**values: Any) -> Workload:
    """Return the workload section of these values, validated as from a file."""
    return _WORKLOAD.validate_python(values)


def build(
    folder: Path,
    *,
    model: ModelInfo = MODEL,
    export: TokenizerExport | None = None,
    max_new_tokens: int | None = None,
    now: datetime = NOON,
    **values: Any,
) -> PreparedWorkload:
    """Load and build the workload of these values; relative paths start from ``folder``."""
    section = workload(**values)
    loaded = load_prompts(section, folder)
    texts = loaded.prompts if loaded else None
    encoded = None
    if isinstance(section, TextWorkload) and texts is not None:
        encoded = encode_prompts(section, texts, export or tokenizer(), now)
    return build_workload(
        section, max_new_tokens=max_new_tokens, model=model, prompts=texts, encoded=encoded
    )


def texts_in(folder: Path, **values: Any) -> list[Any]:
    """Return the content of each prompt of the workload of these values."""
    loaded = load_prompts(workload(**values), folder)
    assert loaded is not None
    return [prompt.content for prompt in loaded.prompts]


def prompts(built: PreparedWorkload) -> list[list[int]]:
    """Return the prompts in the order of submission."""
    return [request.prompt_ids for request in built.requests]


def limits(built: PreparedWorkload) -> list[int]:
    """Return the output limits in the order of submission."""
    return [request.max_new_tokens for request in built.requests]


def as_table(texts: list[str], delimiter: str) -> str:
    """Return a table with the texts in its second column."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerows([("id", "prompt"), *enumerate(texts)])
    return file.getvalue()


def as_records(texts: list[str]) -> list[dict[str, Any]]:
    """Return one record a text, under the key ``prompt``."""
    return [{"id": number, "prompt": text} for number, text in enumerate(texts)]


FILES = {
    "colors.txt": "\n".join(TEXTS),
    "colors.jsonl": "\n".join(map(json.dumps, as_records(TEXTS))),
    "colors.json": json.dumps(as_records(TEXTS)),
    "colors.csv": as_table(TEXTS, ","),
    "colors.tsv": as_table(TEXTS, "\t"),
}
"""The five prompts, in every format of file."""
