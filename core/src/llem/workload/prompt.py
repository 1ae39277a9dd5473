"""A prompt before and after it becomes token ids: text, messages, ids, or no more than a length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llem.errors import WorkloadError, counted

MAX_CHARACTERS = 10_000_000
"""Longest text of a prompt; a longer one is a file read the wrong way."""


@dataclass(frozen=True, slots=True)
class Messages:
    """A conversation up to where the model answers; only a chat template turns it into text.

    Attributes:
        messages: Mappings with ``role`` and ``content``, as the OpenAI API has them.
    """

    messages: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class TokenIds:
    """A prompt that needs no tokenizer.

    Attributes:
        ids: Token ids of the model's own vocabulary.
    """

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RandomTokens:
    """A prompt of which only the length is known, as in a trace of a service.

    Attributes:
        count: Number of random token ids to draw.
    """

    count: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt of a workload.

    Attributes:
        content: What the model is given.
        output_tokens: The output length that the source states for this prompt; ``None`` leaves it
            to ``workload.output_tokens``.
        place: Where the prompt stands, for messages, such as ``prompts.jsonl: row 3``.
    """

    content: str | Messages | TokenIds | RandomTokens
    output_tokens: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class EncodedPrompts:
    """Prompts as token ids.

    Attributes:
        ids: The ids of each prompt; ``None`` for a prompt that is no text.
        truncated: How many were cut to ``max_input_tokens``.
        template: Where the chat template comes from, if one was used.
        template_time: The time that the template saw, ISO 8601, if it may write it.
        remarks: Settings that change nothing, a sentence each.
    """

    ids: tuple[list[int] | None, ...]
    truncated: int = 0
    template: str | None = None
    template_time: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedPrompts:
    """The prompts of a workload, read and checked.

    Attributes:
        prompts: In the order of the source.
        remarks: What the source holds and the workload does not use, a sentence each.
        encoded: The token ids of texts and chats, where the host has the tokenizer.
    """

    prompts: tuple[Prompt, ...]
    remarks: tuple[str, ...] = ()
    encoded: EncodedPrompts | None = None


def texts_of(content: str | Messages | TokenIds | RandomTokens) -> Sequence[str]:
    """Return every text in ``content``."""
    if isinstance(content, str):
        return [content]
    if isinstance(content, Messages):
        texts = [message.get("content") for message in content.messages]
        return [text for text in texts if isinstance(text, str)]
    return []


def check_prompt(prompt: Prompt) -> Prompt:
    """Return ``prompt`` if it can be tokenized.

    Raises:
        WorkloadError: It is empty, too long, or holds half of a character.
    """
    texts = texts_of(prompt.content)
    if isinstance(prompt.content, str | Messages) and not any(text.strip() for text in texts):
        raise WorkloadError(
            f"{prompt.place}: the prompt is empty",
            hint="Delete it, or give it a text: an empty prompt measures nothing.",
        )
    if isinstance(prompt.content, TokenIds) and not prompt.content.ids:
        raise WorkloadError(f"{prompt.place}: the list of token ids is empty", hint="Delete it.")
    for text in texts:
        if len(text) > MAX_CHARACTERS:
            raise WorkloadError(
                f"{prompt.place}: the prompt has {counted(len(text), 'character')}, "
                f"and {MAX_CHARACTERS:,} are allowed",
                hint="Is the file of another format than its suffix says?",
            )
        refuse_half_character(text, prompt.place)
    return prompt


def refuse_half_character(text: str, place: str) -> None:
    """Refuse a text with half of a surrogate pair, which no tokenizer encodes.

    Raises:
        WorkloadError: It holds one; the message begins with ``place``.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        raise WorkloadError(
            f"{place}: character {error.start + 1} is half of a character (\\u{code:04x})",
            hint="Replace it: a text that was cut inside an emoji ends like that.",
        ) from None
