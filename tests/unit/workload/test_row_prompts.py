"""What becomes of the columns of a row: the prompt, its output length, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from llem.errors import WorkloadError
from llem.workload.prompt import Messages, RandomTokens, TokenIds
from llem.workload.prompt_sources import load_prompts

from .colors import workload

HI, YOU = {"role": "user", "content": "hi"}, {"role": "user", "content": "and you"}
HELLO = {"role": "assistant", "content": "hello"}
SYSTEM = {"role": "system", "content": "be short"}


def load(folder: Path, *rows: Any, **values: Any) -> tuple[list[Any], list[int | None], str]:
    """Return content and output length of each prompt of these rows, and the remarks."""
    (folder / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    loaded = load_prompts(workload(source="file", path="p.jsonl", **values), folder)
    assert loaded is not None
    contents = [prompt.content for prompt in loaded.prompts]
    return contents, [prompt.output_tokens for prompt in loaded.prompts], "\n".join(loaded.remarks)


def said(folder: Path, *rows: Any, **values: Any) -> str:
    """Return message and hint with which these rows are refused."""
    with pytest.raises(WorkloadError) as refused:
        load(folder, *rows, **values)
    assert "p.jsonl: row" in refused.value.message
    return f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"messages": [HI]}, Messages((HI,))),
        ({"messages": [SYSTEM, HI, HELLO]}, Messages((SYSTEM, HI))),
        ({"messages": [HI, HELLO, YOU, HELLO]}, Messages((HI, HELLO, YOU))),
        ({"Messages": [HI]}, Messages((HI,))),
        ({"conversation": [{**HI, "language": "en", "toxic": False}]}, Messages((HI,))),
        ({"prompt": [SYSTEM, HI]}, Messages((SYSTEM, HI))),
        ([HI, HELLO, YOU], Messages((HI, HELLO, YOU))),
        ({"messages": [HI], "system": "be short"}, Messages((SYSTEM, HI))),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
            Messages((HI,)),
        ),
        ({"body": {"messages": [HI], "model": "x"}}, Messages((HI,))),
        ({"params": {"messages": [HI], "system": "be short"}}, Messages((SYSTEM, HI))),
        ({"body": {"prompt": "hi", "model": "x"}}, "hi"),
        ({"conversations": [{"from": "human", "value": "hi"}]}, "hi"),
        (
            {"conversations": [{"from": "gpt", "value": "x"}, {"from": "human", "value": "hi"}]},
            "hi",
        ),
        (
            {"conversations": [{"from": "human", "value": "hi"}], "system": "be short"},
            Messages((SYSTEM, HI)),
        ),
        ({"conversations": ["hi", "hello", "and you"]}, "hi"),
        ({"turns": ["hi"]}, "hi"),
        ({"prompt": "hi", "messages": [HI, HELLO]}, "hi"),
        ({"prompt_token_ids": [1, 2]}, TokenIds((1, 2))),
        ({"prompt": [1, 2]}, TokenIds((1, 2))),
        ({"input_ids": [1, 2], "attention_mask": [1, 1]}, TokenIds((1, 2))),
        ([1, 2], TokenIds((1, 2))),
        ({"prompt_token_ids": "[1, 2]"}, TokenIds((1, 2))),
        ({"messages": json.dumps([HI, HELLO])}, Messages((HI,))),
        ({"prompt": "hi", "context": "", "choices": [], "input": None}, "hi"),
    ],
)
def test_layouts(row: Any, expected: Any, tmp_path: Path) -> None:
    assert load(tmp_path, row)[0] == [expected]


@pytest.mark.parametrize(
    ("row", "first", "whole"),
    [
        ({"messages": [HI, HELLO, YOU]}, Messages((HI,)), Messages((HI, HELLO, YOU))),
        ({"conversations": ["hi", "hello", "and you"]}, "hi", Messages((HI, HELLO, YOU))),
        ({"conversations": ["hi", "hello", "and you", "x"]}, "hi", Messages((HI, HELLO, YOU))),
    ],
)
def test_the_setting_says_how_much_of_a_conversation(
    row: Any, first: Any, whole: Any, tmp_path: Path
) -> None:
    contents, _, remarks = load(tmp_path, row, turns="first")
    assert contents == [first]
    assert "1 later one is not" in remarks
    contents, _, remarks = load(tmp_path, row, turns="all")
    assert contents == [whole]
    assert "later" not in remarks


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"prompt": "hi", "context": "c"}, ["'prompt' alone", r"{context}\n\n{prompt}"]),
        ({"question": "q", "Passage": "c"}, [r"{Passage}\n\n{question}"]),
        ({"question": "q", "document": ["c"]}, [r"{document}\n\n{question}"]),
        ({"question": "q", "choices": ["a", "b"]}, [r"{question}\n\n{choices}"]),
        ({"question": "q", "choices": {"text": ["a"]}}, ["choices", "workload.column: question"]),
        ({"question": "q", "system_prompt": "s"}, [r"{system_prompt}\n\n{question}"]),
        ({"instruction": "i", "input": "n", "system": "s"}, [r"{system}\n\n{instruction}\n\n{in"]),
        ({"prompt": "p", "text": "t"}, ["text", "workload.column: prompt"]),
        ({"prompt": "hi", "messages": [SYSTEM, HI]}, ["messages"]),
        ({"messages": [HI], "conversations": [YOU]}, ["conversations"]),
        ({"messages": [HI], "tools": [{"type": "function"}]}, ["offers tools"]),
        ({"messages": [{"role": "narrator", "content": "x"}]}, ["role 'narrator'", "prompter"]),
        ({"messages": [{"content": "x"}]}, ["has no role"]),
        ({"messages": [{"role": "user", "content": None}]}, ["has no text"]),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            ["image_url", "text alone"],
        ),
        ({"prompt": ["a", "b"], "id": 1}, ["column 'prompt' holds a list, not text"]),
        ({"prompt": None}, ["column 'prompt' is empty"]),
        ({"prompt": " \n"}, ["column 'prompt' is empty"]),
        ({"prompt": []}, ["column 'prompt' holds a list"]),
        ({"messages": [{"role": "user", "content": " "}]}, ["the prompt is empty"]),
        (HI, ["is a message", '{"messages": [...]}']),
        ({"question": "q", "image": "x.png"}, ["image", "text alone", "workload.column: question"]),
        ({"prompt": "p", "starter_code": "def"}, [r"{prompt}\n\n{starter_code}"]),
        ({"dialogue": "A: hi"}, ["its columns are: dialogue"]),
        ({"problem": "a text of some words", "input_tokens": 5}, ["workload.column: problem"]),
        ({"input_ids": "[1, x]", "id": 1}, ["'input_ids' holds text that is no JSON list"]),
        ({"a": "x", "b": 1}, ["its columns are: a, b", "workload.column", "workload.template"]),
        ({"prompt": "hi", "max_tokens": 5, "output_len": 6}, ["max_tokens 5, output_len 6"]),
        ({"prompt": "hi", "output_tokens": 0}, ["an output of 0 tokens", "workload.row_lengths"]),
        ({"prompt": "hi", "output_tokens": -1}, ["'output_tokens' is no number of tokens: -1"]),
        ({"prompt": "hi", "output_tokens": 1.5}, ["is no number of tokens: 1.5"]),
        ({"prompt": "hi", "output_tokens": "long"}, ["is no number of tokens: long"]),
        ({"prompt": "hi", "output_tokens": 10**7}, ["up to 1,000,000"]),
        ({"prompt_tokens": 5, "completion_tokens": 6, "NumImages": 1}, ["with images"]),
    ],
)
def test_refusals(row: Any, words: list[str], tmp_path: Path) -> None:
    text = said(tmp_path, row)
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("column", ["prompt", "PROMPT"])
def test_a_named_column_is_the_whole_prompt(column: str, tmp_path: Path) -> None:
    contents, _, _ = load(tmp_path, {"prompt": "hi", "context": "c"}, column=column)
    assert contents == ["hi"]


@pytest.mark.parametrize(
    ("template", "row", "expected"),
    [
        ("{context}\n\n{question}", {"context": "c", "question": "q"}, "c\n\nq"),
        ("{context}\n\n{question}", {"context": "", "question": "q"}, "q"),
        ("{question}\n\n{context}", {"context": None, "question": "q"}, "q"),
        ("{question}\n\n{context}\n", {"context": "c", "question": "q"}, "q\n\nc\n"),
        ("Q: {question}\nA:", {"question": "q "}, "Q: q \nA:"),
        ("{{{Question}}}", {"question": "q"}, "{q}"),
        ("{question}\n{choices}", {"question": "q", "choices": ["a", "b"]}, "q\na\nb"),
        ("{n} {b}", {"n": 3, "b": 1.5}, "3 1.5"),
        ("{a.b} {c[0]}", {"a.b": "x", "c[0]": "y"}, "x y"),
    ],
)
def test_templates(template: str, row: dict, expected: str, tmp_path: Path) -> None:
    assert load(tmp_path, row, template=template)[0] == [expected]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{question} {contxt}", ["no column 'contxt'", "Did you mean 'context'"]),
        ("{question.__class__}", ["no column 'question.__class__'"]),
        ("{question} {data}", ["column 'data' holds an object, which a template cannot write"]),
        ("{empty}\n", ["the prompt is empty"]),
    ],
)
def test_templates_that_do_not_fit(template: str, words: list[str], tmp_path: Path) -> None:
    row = {"question": "q", "context": "c", "data": {"x": 1}, "empty": ""}
    text = said(tmp_path, row, template=template)
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{question", "expected '}'"),
        ("{question!r}", "the name of a column, and nothing else"),
        ("{question:>9}", "the name of a column, and nothing else"),
        ("{}", "the name of a column, and nothing else"),
        ("question", "it names no column"),
    ],
)
def test_templates_that_are_none(template: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        workload(source="file", path="p.jsonl", template=template)
    assert message in str(refused.value)


def test_column_and_template_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="column and template exclude each other"):
        workload(source="file", path="p.jsonl", template="{a}", column="a")


@pytest.mark.parametrize(
    "name",
    [
        "output_tokens", "output_len", "output_length", "max_tokens", "max_completion_tokens",
        "max_new_tokens", "expected_output_len", "Response tokens", "GeneratedTokens",
    ],
)  # fmt: skip
def test_names_of_output_lengths(name: str, tmp_path: Path) -> None:
    rows = {"prompt": "hi", name: 7}, {"prompt": "hi", name: None}, {"prompt": "hi", name: 3.0}
    contents, lengths, remarks = load(tmp_path, *rows)
    assert contents == ["hi"] * 3
    assert lengths == [7, None, 3]
    assert "for 2 of 3 prompts" in remarks


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"TIMESTAMP": "2023", "ContextTokens": 374, "GeneratedTokens": 44}, (374, 44)),
        ({"arrived_at": 0.5, "num_prefill_tokens": 5, "num_decode_tokens": 6}, (5, 6)),
        ({"timestamp": 27, "input_length": 5, "output_length": 6, "hash_ids": [1]}, (5, 6)),
        ({"prompt_len": "5", "output_len": "6"}, (5, 6)),
        ({"arrival_timestamp": 1.5, "prompt_size": 5, "token_size": 6}, (5, 6)),
        ({"input_tokens": 5}, (5, None)),
        ({"Model": "GPT-4", "Log Type": "Conversation log", "Request tokens": 5}, (5, None)),
        ({"prompt_tokens": 5, "completion_tokens": 6, "NumImages": 0}, (5, 6)),
    ],
)
def test_traces(row: dict, expected: tuple[int, int | None], tmp_path: Path) -> None:
    contents, lengths, remarks = load(tmp_path, row)
    assert (contents, lengths) == ([RandomTokens(expected[0])], [expected[1]])
    assert "random tokens" in remarks


def test_failed_requests_of_a_trace_are_left_out(tmp_path: Path) -> None:
    rows = [{"Request tokens": 5, "Response tokens": count} for count in (3, 0, 4)]
    contents, lengths, remarks = load(tmp_path, *rows)
    assert len(contents) == 2
    assert lengths == [3, 4]
    assert "1 of 3 rows have no token of prompt or of output and are left out" in remarks


def test_settings_of_requests_are_named(tmp_path: Path) -> None:
    body = {"messages": [HI], "temperature": 0.7, "n": 2, "max_completion_tokens": 9}
    _, lengths, remarks = load(tmp_path, {"custom_id": "a", "body": body})
    assert lengths == [9]
    assert "not those of the requests: temperature, n" in remarks


def test_left_out_answers_are_named(tmp_path: Path) -> None:
    _, _, remarks = load(tmp_path, {"messages": [HI, HELLO]}, {"messages": [HI]})
    assert "the answers that end 1 conversation are left out" in remarks


def test_numbers_are_no_prompts_unless_a_text_is_among_them(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="all prompts are numbers, such as 374"):
        load(tmp_path, {"prompt": "374"}, {"prompt": "1,024.5"})
    assert load(tmp_path, {"prompt": "374"}, {"prompt": "why"})[0] == ["374", "why"]


def test_messages_of_a_tree(tmp_path: Path) -> None:
    rows = [
        {"text": "hi", "role": "prompter", "parent_id": None},
        {"text": "hello", "role": "assistant", "parent_id": "1"},
        {"text": "and you", "role": "prompter", "parent_id": "2"},
    ]
    contents, _, remarks = load(tmp_path, *rows)
    assert contents == ["hi", "and you"]
    assert "1 prompts answer an earlier message" in remarks
    contents, _, remarks = load(tmp_path, *rows, turns="first")
    assert contents == ["hi"]
    assert "1 of 3 rows answer an earlier message and are left out" in remarks


def test_settings_that_cannot_act_are_said_to_be_so(tmp_path: Path) -> None:
    assert "has no columns Remove workload.column." in said(tmp_path, "one", column="prompt")
    assert "has no columns Remove workload.template." in said(tmp_path, "one", template="{a}")
    _, _, remarks = load(tmp_path, {"prompt": "one"}, turns="all")
    assert "workload.turns changes nothing" in remarks
    for row in ({"input_length": 5}, {"prompt_token_ids": [5]}):
        with pytest.raises(WorkloadError, match="chat_template acts on texts") as refused:
            load(tmp_path, row, chat_template=True)
        assert refused.value.hint == "Remove workload.chat_template."
