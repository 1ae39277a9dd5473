"""Read conversations as ShareGPT, OpenAI, LMSYS and MT-bench write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from llem.errors import WorkloadError
from llem.workload.prompt import Messages

Turns = Literal["first", "all"]

COLUMNS = ("messages", "conversations", "conversation", "turns", "chat", "dialog", "dialogue")
"""Columns that may hold a conversation, in order of preference."""

ROLES = {
    "system": "system", "developer": "developer", "human": "user", "user": "user",
    "prompter": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
    "bing": "assistant", "bard": "assistant", "model": "assistant", "bot": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool", "function_call": "assistant",
}  # fmt: skip
"""The role in a chat template, by the speaker's name in a file."""

_KEPT = ("name", "tool_calls", "tool_call_id", "reasoning_content", "reasoning", "thinking")


def is_conversation(value: Sequence[Any], name: str) -> bool:
    """Whether ``value`` is a list of messages, or of texts in a column named for conversations."""
    texts = name.strip().lower() in COLUMNS and all(isinstance(text, str) for text in value)
    return texts or (len(value) > 0 and all(isinstance(message, Mapping) for message in value))


def conversation(
    value: Sequence[Any], *, name: str, turns: Turns | None, system: str, place: str
) -> tuple[str | Messages | None, int]:
    """Return the prompt of a conversation, and the number of its user turns that are left out.

    Messages of the OpenAI API are a request: the prompt is everything before the last answer.
    Of a recorded conversation (ShareGPT) and of a list of questions (MT-bench), the prompt is the
    first user turn, as serving benchmarks have it. ``turns`` decides otherwise.

    Args:
        value: The messages, or texts.
        name: The column that holds them.
        turns: The setting ``workload.turns``.
        system: A system prompt that stands beside the conversation, or empty.
        place: Where it stands, for messages.

    Returns:
        A text where a single user turn is all there is, else messages; ``None`` without user turn.

    Raises:
        WorkloadError: A message has no role, or content that is no text.
    """
    spoken = all(isinstance(text, str) for text in value)
    as_request = not spoken and all("role" in message for message in value)
    messages = (
        _spoken(value, name, turns, place)
        if spoken
        else [_message(message, place) for message in value]
    )
    if system and not any(message["role"] == "system" for message in messages):
        messages.insert(0, {"role": "system", "content": system})
    asked = [number for number, message in enumerate(messages) if message["role"] == "user"]
    if not asked:
        return None, 0
    if turns == "all" or (turns is None and as_request):
        while messages[-1]["role"] == "assistant":
            messages.pop()
        return Messages(tuple(messages)), 0
    first = messages[asked[0]]
    before = [message for message in messages[: asked[0]] if message["role"] == "system"]
    if before or as_request:
        return Messages((*before, first)), len(asked) - 1
    text = first["content"]
    assert isinstance(text, str)
    return text, len(asked) - 1


def _message(message: Mapping[str, Any], place: str) -> dict[str, Any]:
    speaker = message.get("role") or message.get("from")
    role = ROLES.get(str(speaker).lower())
    if role is None:
        raise WorkloadError(
            f"{place}: a message has the role {speaker!r}"
            if speaker
            else f"{place}: a message has no role",
            hint=f"Known roles: {', '.join(ROLES)}.",
        )
    contents = [message[key] for key in ("content", "value", "text") if key in message]
    kept = {key: message[key] for key in _KEPT if message.get(key)}
    text = _text(contents[0] if contents else None, place)
    if text is None and not kept:
        raise WorkloadError(
            f"{place}: a message of the {role} has no text",
            hint="A message needs a content, such as {role: user, content: Hello}.",
        )
    return {"role": role, "content": text, **kept}


def _text(content: Any, place: str) -> str | None:
    """Return the text of a message, the parts of the OpenAI API joined by line ends."""
    if content is None or isinstance(content, str):
        return content
    parts: Sequence[Any] = content if isinstance(content, Sequence) else [content]
    texts = []
    for part in parts:
        if not isinstance(part, Mapping) or not isinstance(part.get("text"), str):
            kind = part.get("type", "object") if isinstance(part, Mapping) else "value"
            raise WorkloadError(
                f"{place}: a message holds {kind}, and llem measures text alone",
                hint="Remove the rows that hold images, audio or files.",
            )
        texts.append(part["text"])
    return "\n".join(texts)


def _spoken(
    value: Sequence[Any], name: str, turns: Turns | None, place: str
) -> list[dict[str, Any]]:
    """Return messages of a list of texts: questions under ``turns``, else both speak in turn."""
    if name.strip().lower() != "turns":
        roles = ("user", "assistant")
        return [{"role": roles[number % 2], "content": text} for number, text in enumerate(value)]
    if turns == "all" and len(value) > 1:
        raise WorkloadError(
            f"{place}: {name} holds {len(value)} questions without the answers between them",
            hint="Set workload.turns: first, or write the conversations as messages.",
        )
    return [{"role": "user", "content": text} for text in value]
