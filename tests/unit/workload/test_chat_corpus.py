"""Templates in the style of today's models, held against what transformers renders and encodes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from llem.errors import WorkloadError
from llem.schema.experiment import ModelConfig
from llem.workload.prompt import Messages, Prompt
from llem.workload.tokenizer_files import find_tokenizer
from llem.workload.tokenizing import encode_prompts

from .colors import workload
from .test_chat_template import byte_tokenizer

pytestmark = pytest.mark.engine

CORPUS = sorted((Path(__file__).parent / "chat_templates").glob("*.jinja"))

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather in a <city> & more",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["°C", "°F"]},
                "days": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["city"],
        },
    },
}
CALL = {
    "id": "abcdef123",
    "type": "function",
    "function": {"name": "weather", "arguments": {"city": "Köln"}},
}
RESULT = {"role": "tool", "content": "5 °C", "tool_call_id": "abcdef123"}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def answer(text: str | None, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


SYSTEM = {"role": "system", "content": 'Be <brief> & "kind". /no_think'}
CHATS = {
    "question": [user("  Why is the sky blue? 日本\n")],
    "system": [SYSTEM, user("Hi")],
    "developer": [{"role": "developer", "content": "Say less."}, user("Hi")],
    "turns": [
        user("Hi"), answer("<think>\nhm\n</think>\n\nHello <s>"), user("Again"),
        answer("Yes", name=None), user("?"),
    ],
    "reasoning": [user("Hi"), answer("Hello", reasoning="it greets"), user("Bye")],
    "thinking": [user("Hi"), answer("", thinking="let me see", tool_calls=[CALL]), RESULT],
    "call": [user("Weather?"), answer(None, tool_calls=[CALL]), RESULT, user("Thanks")],
    "ends-with-answer": [user("Hi"), answer("Hel")],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    "two-questions": [user("Hi"), user("Hi again")],
    "unknown-role": [{"role": "critic", "content": "no"}, user("Hi")],
}  # fmt: skip
ARGUMENTS = {
    "none": {},
    "no-thinking": {"enable_thinking": False, "thinking": True, "reasoning_effort": "high"},
    "tools": {"tools": [WEATHER]},
    "documents": {"documents": [{"title": "a", "text": "One."}, {"title": "b", "text": "Two."}]},
    "controls": {"controls": {"length": "short"}, "date_string": "1 Jan 2030", "bos_token": "<B>"},
    "no-generation": {"add_generation_prompt": False, "tools_in_user_message": False},
}


@pytest.fixture(scope="module", params=CORPUS, ids=lambda path: path.stem)
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A tokenizer of bytes with a template of the corpus, saved by transformers."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("model")
    made = PreTrainedTokenizerFast(
        tokenizer_object=byte_tokenizer(), bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    made.chat_template = request.param.read_text()
    made.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder), folder


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("chat", CHATS)
def test_ids_are_those_of_transformers(tokenizer, chat: str, arguments: str) -> None:
    theirs, folder = tokenizer
    export = find_tokenizer(ModelConfig(id=str(folder)))
    assert export is not None
    section = workload(source="prompts", prompts=["-"], chat_template_kwargs=ARGUMENTS[arguments])
    prompts = [Prompt(Messages(tuple(CHATS[chat])), place="row 1")]
    options = {"add_generation_prompt": True, **ARGUMENTS[arguments]}
    try:
        expected = theirs.apply_chat_template(CHATS[chat], return_dict=True, **options)
        failure = None
    except Exception as error:  # noqa: BLE001 - whatever the template raises
        failure = str(error)
    if failure is None:
        [ids] = encode_prompts(section, prompts, export, datetime.now()).ids
        assert theirs.decode(ids) == theirs.decode(expected["input_ids"])
        assert ids == expected["input_ids"]
        return
    with pytest.raises(WorkloadError, match=r"chat_template\.jinja, line \d") as refused:
        encode_prompts(section, prompts, export, datetime.now())
    assert failure in refused.value.message


def test_each_template_renders_something(tokenizer) -> None:
    theirs, _ = tokenizer
    assert len(theirs.apply_chat_template(CHATS["question"], tokenize=False)) > 30
