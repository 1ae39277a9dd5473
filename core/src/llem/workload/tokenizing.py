"""Encode prompts with a model's tokenizer, through its chat template where they are chats."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from llem.api.session import TokenizerExport
from llem.errors import WorkloadError, counted
from llem.schema.experiment import ModelConfig
from llem.schema.workload import TextWorkload, Workload
from llem.workload.chat_template import ChatTemplate
from llem.workload.prompt import EncodedPrompts, Messages, Prompt, refuse_half_character
from llem.workload.tokenizer_files import find_tokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Result = TypeVar("Result")

_PLACEHOLDER = "LlemPlaceOfThePrompt"
"""Stands for a prompt to find its place in a rendered chat; letters, which no template changes."""


def encode_prompts(
    workload: TextWorkload,
    prompts: Sequence[Prompt],
    tokenizer: TokenizerExport,
    now: datetime,
) -> EncodedPrompts:
    """Return the token ids of every prompt that is a text or a chat.

    Args:
        workload: Says which prompts are chats, and how long they may be.
        prompts: The prompts.
        tokenizer: The model's tokenizer.
        now: The time that a chat template sees unless ``workload.template_time`` sets it.

    Raises:
        WorkloadError: Tokenizer or chat template cannot be used, a prompt comes to no token, or
            cannot be cut to its length.
    """
    encoder = _Encoder(tokenizer, workload.max_input_tokens)
    chats = any(_is_chat(prompt, workload) for prompt in prompts)
    if not chats:
        _refuse_idle_settings(workload)
    chat = _Chat(workload, tokenizer, now) if chats else None
    ids: list[list[int] | None] = []
    for prompt in prompts:
        if chat is not None and _is_chat(prompt, workload):
            ids.append(encoder.chat(prompt, chat))
        elif isinstance(prompt.content, str):
            ids.append(encoder.text(prompt.content, prompt.place))
        else:
            ids.append(None)
    return EncodedPrompts(
        tuple(ids),
        encoder.truncated,
        template=chat.template.origin if chat else None,
        template_time=chat.now.isoformat() if chat and chat.template.reads_clock else None,
        remarks=chat.remarks() if chat else (),
    )


def encode_in_host(
    workload: Workload, model: ModelConfig, prompts: Sequence[Prompt] | None, now: datetime
) -> EncodedPrompts | None:
    """Return the token ids of all texts and chats, with the tokenizer that the host can read.

    Args:
        workload: The workload.
        model: The model.
        prompts: What the workload's source holds; ``None`` for a synthetic workload.
        now: The time that a chat template sees unless ``workload.template_time`` sets it.

    Returns:
        ``None`` where there is nothing to encode, or the engine alone may have a tokenizer.

    Raises:
        WorkloadError: As :func:`encode_prompts` does.
    """
    if not needs_tokenizer(prompts):
        return None
    assert isinstance(workload, TextWorkload)
    assert prompts is not None
    found = find_tokenizer(model)
    return None if found is None else encode_prompts(workload, prompts, found, now)


def needs_tokenizer(prompts: Sequence[Prompt] | None) -> bool:
    """Whether there is a text among ``prompts``."""
    return any(isinstance(prompt.content, str | Messages) for prompt in prompts or ())


def _is_chat(prompt: Prompt, workload: TextWorkload) -> bool:
    is_text = isinstance(prompt.content, str)
    return isinstance(prompt.content, Messages) or (is_text and bool(workload.chat_template))


def _refuse_idle_settings(workload: TextWorkload) -> None:
    for name in ("system_prompt", "chat_template_kwargs", "template_time"):
        if getattr(workload, name):
            raise WorkloadError(
                f"workload.{name} acts only in a chat, and no prompt is one",
                hint=f"Set workload.chat_template: true, or remove workload.{name}.",
            )


class _Chat:
    """Turns prompts into the text of a chat."""

    def __init__(self, workload: TextWorkload, export: TokenizerExport, now: datetime) -> None:
        self.now = workload.template_time or now
        self._is_pinned = workload.template_time is not None
        self._system = workload.system_prompt
        self._arguments = workload.chat_template_kwargs
        name, source = _chosen_template(export, workload)
        origin = export.template_origins.get(name, f"{export.origin}, chat_template")
        self.template = ChatTemplate(source, origin)
        self._variables = {**export.special_tokens, **self._arguments}

    def remarks(self) -> tuple[str, ...]:
        """Return a sentence for each setting that the template does not read."""
        idle = [name for name in self._arguments if name not in self.template.variables]
        names = [f"chat_template_kwargs.{name}" for name in idle]
        if self._is_pinned and not self.template.reads_clock:
            names.append("template_time")
        return tuple(
            f"{name} changes nothing: {self.template.origin} does not read it" for name in names
        )

    def messages(self, prompt: Prompt) -> list[dict[str, Any]]:
        """Return the messages of ``prompt``, with the system prompt where they have none."""
        content = prompt.content
        messages = (
            [dict(message) for message in content.messages]
            if isinstance(content, Messages)
            else [{"role": "user", "content": content}]
        )
        own = bool(messages) and messages[0].get("role") in ("system", "developer")
        if self._system is not None and not own:
            messages.insert(0, {"role": "system", "content": self._system})
        return messages

    def render(self, messages: Sequence[Mapping[str, Any]], place: str) -> str:
        """Return the text of a chat."""
        try:
            return self.template.render(messages, self._variables, self.now)
        except WorkloadError as error:
            raise WorkloadError(f"{place}: {error.message}", hint=error.hint) from error


def _chosen_template(export: TokenizerExport, workload: TextWorkload) -> tuple[str, str]:
    """Return the name and the source of the template, chosen as transformers does."""
    wanted, templates = workload.chat_template, export.chat_template
    if templates is None:
        raise WorkloadError(
            f"the model has no chat template: none comes with {export.origin}",
            hint="Set workload.chat_template: false, or name another model.tokenizer.",
        )
    if isinstance(templates, str):
        templates = {"default": templates}
    name = wanted if isinstance(wanted, str) else "default"
    if wanted is True and workload.chat_template_kwargs.get("tools") and "tool_use" in templates:
        name = "tool_use"
    if name not in templates:
        raise WorkloadError(
            f"the model has no chat template named {name}",
            hint=f"Set workload.chat_template to one of: {', '.join(sorted(templates))}.",
        )
    return name, templates[name]


class _Encoder:
    """Encodes texts, and cuts those that are too long."""

    def __init__(self, export: TokenizerExport, most: int | None) -> None:
        added = json.dumps(export.added_tokens)
        self._tokenizer = _tokenizer(export.tokenizer_json, added, export.origin)
        self._tokenizer.encode_special_tokens = export.splits_special_tokens
        self._most = most
        self.truncated = 0

    def text(self, text: str, place: str) -> list[int]:
        """Return the ids of a plain text, with the special tokens that the tokenizer adds.

        Of a text that is too long the end stays, beside the special tokens: a question usually
        stands at the end.
        """
        encoding = self._encode(text, place, special=True)
        if self._most is None or len(encoding) <= self._most:
            return _some(encoding.ids, place)
        special = self._tokenizer.num_special_tokens_to_add(False)
        if special >= self._most:
            raise _no_room(place, f"the tokenizer adds {special} special tokens", self._most)
        self.truncated += 1
        cut = self._encode(text, place, special=False)
        cut.truncate(self._most - special, direction="left")
        ids: list[int] = self._tokenizer.post_process(cut).ids
        return ids

    def chat(self, prompt: Prompt, chat: _Chat) -> list[int]:
        """Return the ids of a chat, whose special tokens its template writes.

        If it is too long, only the user's last message is cut, at its beginning.
        """
        messages, place = chat.messages(prompt), prompt.place
        text = chat.render(messages, place)
        encoding = self._encode(text, place, special=False)
        if self._most is None or len(encoding) <= self._most:
            return _some(encoding.ids, place)
        begin, end = _last_user_text(messages, text, chat, place)
        ids, offsets = encoding.ids, encoding.offsets
        head = sum(1 for _, stop in offsets if stop <= begin)
        tail = sum(1 for start, _ in offsets if start >= end)
        room = self._most - head - tail
        if room < 1:
            found = f"without the user's last message the chat has {counted(head + tail, 'token')}"
            raise _no_room(place, found, self._most)
        self.truncated += 1
        rest = ids[len(ids) - tail :]
        return [*ids[:head], *ids[len(ids) - tail - room : len(ids) - tail], *rest]

    def _encode(self, text: str, place: str, *, special: bool) -> Encoding:
        refuse_half_character(text, place)
        what = f"{place}: the tokenizer cannot encode the prompt"
        return _guarded(lambda: self._tokenizer.encode(text, add_special_tokens=special), what)


def _some(ids: list[int], place: str) -> list[int]:
    if not ids:
        raise WorkloadError(f"{place}: the prompt comes to no token", hint="Delete it.")
    return ids


def _no_room(place: str, found: str, most: int) -> WorkloadError:
    return WorkloadError(
        f"{place}: {found}, and workload.max_input_tokens is {most}",
        hint="Raise workload.max_input_tokens.",
    )


def _last_user_text(
    messages: list[dict[str, Any]], text: str, chat: _Chat, place: str
) -> tuple[int, int]:
    """Return where in the rendered ``text`` the content of the user's last message stands."""
    asked = [number for number, message in enumerate(messages) if message.get("role") == "user"]
    if asked and isinstance(messages[asked[-1]].get("content"), str):
        marked = list(messages)
        marked[asked[-1]] = {**messages[asked[-1]], "content": _PLACEHOLDER}
        before, found, after = chat.render(marked, place).partition(_PLACEHOLDER)
        begin, end = len(before), len(text) - len(after)
        fits = text.startswith(before) and text.endswith(after) and begin < end
        if found and fits and _PLACEHOLDER not in after:
            return begin, end
    raise WorkloadError(
        f"{place}: the chat is longer than workload.max_input_tokens, and llem cannot tell "
        "where in it the user's last message stands",
        hint="Shorten the prompt, or raise workload.max_input_tokens.",
    )


@lru_cache(maxsize=2)
def _tokenizer(tokenizer_json: str, added_tokens: str, origin: str) -> Tokenizer:
    """Return the tokenizer, ready to encode; a study asks for the same again and again."""
    import tokenizers

    hint = (
        f"Is it of a newer version than tokenizers {tokenizers.__version__} reads? Update that "
        "package, or name another model.tokenizer."
    )

    def made() -> Tokenizer:
        tokenizer = tokenizers.Tokenizer.from_str(tokenizer_json)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokens = [tokenizers.AddedToken(**token) for token in json.loads(added_tokens)]
        tokenizer.add_tokens(tokens)
        return tokenizer

    return _guarded(made, f"{origin} is no tokenizer that llem can read", hint)


def _guarded(call: Callable[[], Result], what: str, hint: str = "") -> Result:
    """Return what ``call`` returns; its failure, of whatever type, is an error that says ``what``.

    The library raises bare exceptions, and panics that are not even of that type.
    """
    try:
        return call()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise WorkloadError(f"{what}: {error}", hint=hint) from error
