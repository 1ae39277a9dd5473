"""Settings of chats: system prompt, arguments, the clock, cutting, limits of a template."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from llem.api.session import TokenizerExport
from llem.errors import WorkloadError
from llem.workload import chat_template
from llem.workload.prompt import EncodedPrompts, Messages, Prompt
from llem.workload.prompt_sources import load_prompts
from llem.workload.tokenizing import encode_prompts

from .colors import NOON, workload
from .test_chat_template import byte_tokenizer

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }} {{ m.content }}<|im_end|>"
    "{% endfor %}{% if effort is defined %}[{{ effort }}]{% endif %}"
    "{% if add_generation_prompt %}<|im_start|>{% endif %}"
)
USER = {"role": "user", "content": "Question?"}
SYSTEM = {"role": "system", "content": "Own."}


def encoded(*contents: Any, template: str = TEMPLATE, **values: Any) -> EncodedPrompts:
    """Encode prompts with a tokenizer of bytes."""
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    origins = {"default": "m/chat_template.jinja"}
    export = TokenizerExport(
        byte_tokenizer().to_str(), template, special, origin="m", template_origins=origins
    )
    section = workload(source="prompts", prompts=["-"], **{"chat_template": True} | values)
    prompts = [
        Prompt(content if isinstance(content, str) else Messages(tuple(content)), place=f"row {n}")
        for n, content in enumerate(contents, start=1)
    ]
    return encode_prompts(section, prompts, export, NOON)


def text(*contents: Any, **values: Any) -> str:
    """Return what the model sees of one prompt."""
    [ids] = encoded(*contents, **values).ids
    assert ids is not None
    found: str = byte_tokenizer().decode(ids, skip_special_tokens=False)
    return found


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Question?", "<s><|im_start|>system Brief.<|im_end|>"),
        ([USER], "<s><|im_start|>system Brief.<|im_end|>"),
        ([SYSTEM, USER], "<s><|im_start|>system Own.<|im_end|>"),
        ([SYSTEM | {"role": "developer"}, USER], "<s><|im_start|>developer Own.<|im_end|>"),
    ],
)
def test_a_system_prompt_is_for_chats_without_one(content: Any, expected: str) -> None:
    rest = "<|im_start|>user Question?<|im_end|><|im_start|>"
    assert text(content, system_prompt="Brief.") == expected + rest


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [({}, "<|im_start|>"), ({"effort": "low"}, "[low]<|im_start|>"),
     ({"add_generation_prompt": False}, "Question?<|im_end|>"),
     ({"bos_token": "B"}, "<|im_end|><|im_start|>")],
)  # fmt: skip
def test_arguments_reach_the_template(arguments: dict[str, Any], ending: str) -> None:
    found = text([USER], chat_template_kwargs=arguments)
    assert found.endswith(ending)
    assert found.startswith("B" if "bos_token" in arguments else "<s>")


def test_an_argument_that_the_template_does_not_read_is_said_to_be_so() -> None:
    kwargs = {"enable_thinking": False, "effort": "low"}
    found = encoded("q", chat_template_kwargs=kwargs, template_time="2030-01-01T00:00")
    assert found.remarks == (
        "chat_template_kwargs.enable_thinking changes nothing: m/chat_template.jinja does not "
        "read it",
        "template_time changes nothing: m/chat_template.jinja does not read it",
    )


@pytest.mark.parametrize(
    "name", ["messages", "chat_template", "tokenize", "continue_final_message"]
)
def test_arguments_that_never_reach_a_template_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is no argument of a template"):
        workload(source="prompts", prompts=["-"], chat_template_kwargs={name: True})


@pytest.mark.parametrize(
    "settings",
    [{"system_prompt": "s"}, {"chat_template_kwargs": {"a": 1}}, {"template_time": NOON}],
)
def test_settings_of_chats_are_refused_without_a_chat(settings: dict[str, Any]) -> None:
    with pytest.raises(WorkloadError, match="acts only in a chat") as refused:
        encoded("plain", chat_template=False, **settings)
    assert "workload.chat_template: true" in refused.value.hint
    assert encoded([USER], chat_template=False, **settings).ids


def test_a_config_holds_messages(tmp_path: Path) -> None:
    turns = [USER, {"role": "assistant", "content": "Answer.", "reasoning": "r"}, USER]
    section = workload(source="prompts", prompts=["text", turns, [*turns, turns[1]]])
    loaded = load_prompts(section, tmp_path)
    assert loaded is not None
    assert loaded.prompts[0].content == "text"
    # The last answer is what the model is asked for.
    assert [prompt.content for prompt in loaded.prompts[1:]] == [Messages(tuple(turns))] * 2


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([SYSTEM], "prompt 1: there is no message of the user"),
        ([{"content": "x"}], "prompt 1: a message has no role"),
        ([{"role": "user", "content": 7}], "prompt 1: a message holds value"),
    ],
)
def test_messages_of_a_config_are_checked(messages: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=message):
        load_prompts(workload(source="prompts", prompts=[messages]), tmp_path)


CLOCK = "{{ strftime_now('%d %b %Y %H:%M') }}{{ messages[0].content }}"


@pytest.mark.parametrize(
    ("pinned", "seen", "stated"),
    [
        (None, "04 Mar 2031 12:00", "2031-03-04T12:00:00"),
        ("2026-07-26T23:59", "26 Jul 2026 23:59", "2026-07-26T23:59:00"),
        ("2026-07-26", "26 Jul 2026 00:00", "2026-07-26T00:00:00"),
    ],
)
def test_the_clock_of_a_template(pinned: str | None, seen: str, stated: str) -> None:
    assert text("q", template=CLOCK, template_time=pinned) == f"{seen}q"
    assert encoded("q", template=CLOCK, template_time=pinned).template_time == stated
    assert encoded("q").template_time is None  # this template does not read the time


def test_the_file_of_the_template_is_told() -> None:
    assert encoded("q").template == "m/chat_template.jinja"
    assert encoded("q", chat_template=False).template is None


HEAD, TAIL = "<s><|im_start|>user ", "<|im_end|><|im_start|>"
AROUND = len("user ") + 4  # bytes and special tokens


@pytest.mark.parametrize("room", [1, 4, 9])
def test_of_a_chat_only_what_the_user_says_is_cut(room: int) -> None:
    found = encoded("Question?", max_input_tokens=AROUND + room)
    assert found.truncated == (room < 9)
    assert text("Question?", max_input_tokens=AROUND + room) == HEAD + "Question?"[-room:] + TAIL


def test_a_chat_that_trims_or_repeats_words_of_the_template_is_cut_at_its_place() -> None:
    trimmed = TEMPLATE.replace("m.content", "m.content | trim")
    assert text("  user user \n", template=trimmed, max_input_tokens=AROUND + 2) == (
        HEAD + "er" + TAIL
    )


def test_of_several_turns_the_users_last_message_is_cut() -> None:
    turns = [USER, {"role": "assistant", "content": "Answer."}, {**USER, "content": "And then?"}]
    whole = encoded(turns).ids[0]
    assert whole is not None
    found = text(turns, max_input_tokens=len(whole) - 4)
    assert found == byte_tokenizer().decode(whole, skip_special_tokens=False).replace("And ", "")


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("Question?", {"max_input_tokens": AROUND}, f"row 1: without .* has {AROUND} tokens"),
        ([SYSTEM], {"max_input_tokens": 3}, "row 1: .* cannot tell where"),
        ("q" * 9, {"max_input_tokens": 9, "template": "{{ messages[0].content | length }}" * 10},
         "row 1: .* cannot tell where"),
        ("q", {"template": "{{ '' }}"}, "row 1: the prompt comes to no token"),
        ("q", {"template": "{{ '\\ud83d' }}"}, "row 1: character 1 is half of a character"),
        ([{"role": "user", "content": "\ud83d"}], {}, "row 1: .* is half of a character"),
    ],
)  # fmt: skip
def test_a_chat_that_cannot_be_used(content: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        encoded(content, **settings)


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{{ 'x' * 999 }}{% endfor %}",
        "{{ 'x' * 10 ** 9 }}",
        "{{ [0] * 10 ** 9 }}",
        "{{ 2 ** 999999999 }}",
        "{% set n = namespace(s='xy') %}"
        "{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s='xy') %}"
        "{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    ],
)
def test_a_template_that_writes_without_end(template: str) -> None:
    with pytest.raises(WorkloadError, match=r"jinja.*writes more than 10,000,000 characters"):
        encoded("q", template=template)


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set x = range(99999) | list %}{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) ~ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    ],
)
def test_a_template_that_runs_without_end(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_template, "MAX_SECONDS", 0.2)
    started_s = time.monotonic()
    with pytest.raises(WorkloadError, match=r"jinja, line 1: .* runs for more than 0\.2 s"):
        encoded("q", template=template)
    assert time.monotonic() - started_s < 5


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ messages.append(1) }}", "line 1: .* raises SecurityError"),
        ("\n{{ ''.__class__.__mro__ }}", "line 2: .* raises SecurityError"),
        ("{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}", "raises RecursionError"),
        ("{{ range(10 ** 9) }}", "raises OverflowError"),
        ("{{ 1 / 0 }}", "line 1: .* raises ZeroDivisionError"),
        ("{% break %}", "cannot be compiled: 'break' outside loop"),
        ("{{ " + "(" * 400 + "1" + ")" * 400 + " }}", "cannot be compiled"),
        ("{{ x | nothing }}", "line 1: .* is not valid: No filter named 'nothing'"),
        ("{% include 'x' %}", "line 1: .* raises TypeError: no loader"),
    ],
)
def test_a_template_that_fails(template: str, message: str) -> None:
    with pytest.raises(WorkloadError, match=rf"m/chat_template\.jinja.*{message}"):
        encoded("q", template=template)


def test_a_tokenizer_that_reads_special_tokens_as_text(tmp_path: Path) -> None:
    plain = byte_tokenizer().to_str()
    prompts = [Prompt("<s>", place="row 1")]
    section = workload(source="prompts", prompts=["-"])
    whole = encode_prompts(section, prompts, TokenizerExport(plain), datetime.now()).ids
    split = TokenizerExport(plain, splits_special_tokens=True)
    assert [len(ids or ()) for ids in whole] == [1]
    assert [len(ids or ()) for ids in encode_prompts(section, prompts, split, NOON).ids] == [3]
