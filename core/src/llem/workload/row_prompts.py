"""Turn the rows of a file or a dataset into prompts, and leave nothing out without a word."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llem.errors import WorkloadError, counted
from llem.schema.workload import DatasetWorkload, FileWorkload
from llem.workload import conversations
from llem.workload.prompt import Messages, Prompt, RandomTokens, TokenIds
from llem.workload.row_columns import (
    USUAL_COLUMNS,
    Trace,
    filled,
    find,
    is_empty,
    is_length,
    kind,
    no_column,
    output_tokens,
    plain,
)

TOKEN_COLUMNS = ("prompt_token_ids", "token_ids", "input_ids")
"""Columns that may hold token ids."""

_LISTS = frozenset({*conversations.COLUMNS, *TOKEN_COLUMNS})
"""Columns that hold lists; a table of text writes them as JSON."""

_SYSTEM = ("system", "system_prompt", "system_message")
_BEFORE = (
    *_SYSTEM, "context", "contexts", "ctx", "passage", "passages", "document", "documents",
    "article", "paragraph", "background", "story", "support", "evidence", "knowledge", "table",
    "abstract", "body", "transcript", "history", "instructions", "preamble", "examples",
    "demonstrations", "few_shot",
)  # fmt: skip
_AFTER = (
    "inputs", "choices", "options", "suffix", "starter_code",
    *(f"choice_{letter}" for letter in "abcde"),
)  # fmt: skip
_MEDIA = ("image", "images", "image_url", "audio", "video")
SISTERS = frozenset({*USUAL_COLUMNS, *_BEFORE, *_AFTER, *_MEDIA})
"""Columns that belong to a prompt when they stand beside its column and are not empty."""

_NUMBER = re.compile(r"\s*[-+]?\d[\d.,]*(e[-+]?\d+)?\s*", re.IGNORECASE)


@dataclass(slots=True)
class RowPrompts:
    """Reads the prompts of one source, by the layout of its first row.

    Attributes:
        workload: The settings that say how to read rows.
        source: What messages call the source.
    """

    workload: FileWorkload | DatasetWorkload
    source: str
    _column: str | None = None
    _trace: Trace | None = None
    _rows: int = 0
    _prompts: int = 0
    _own_lengths: int = 0
    _conversations: int = 0
    _later_turns: int = 0
    _answered: int = 0
    _replies: int = 0
    _left_out: Counter[str] = field(default_factory=Counter)
    _unused: dict[str, None] = field(default_factory=dict)

    def read(self, rows: Iterable[Any]) -> Iterator[Prompt]:
        """Yield the prompt of each row: of a string, the string itself.

        Raises:
            WorkloadError: A row has no prompt, or more than the settings say how to use.
        """
        for number, row in enumerate(rows, start=1):
            self._rows = number
            prompt = self._prompt(row, f"{self.source}: row {number}")
            if prompt is not None:
                self._prompts += 1
                self._own_lengths += prompt.output_tokens is not None
                yield prompt

    def remarks(self) -> Iterator[str]:
        """Yield what the rows read so far hold and no prompt has, and what replaces a setting."""
        for reason, count in self._left_out.items():
            yield f"{count} of {counted(self._rows, 'row')} {reason} and are left out"
        if self._later_turns:
            yield (
                f"of each conversation the first user turn is used, and {self._later_turns} later "
                f"{'one is' if self._later_turns == 1 else 'ones are'} not; workload.turns: all "
                "uses whole conversations"
            )
        if self._answered:
            yield (
                f"the answers that end {counted(self._answered, 'conversation')} are left out: "
                "the model gives its own"
            )
        if self.workload.turns is not None and not self._conversations:
            yield "workload.turns changes nothing: no row holds a conversation"
        if self._replies:
            yield (
                f"{self._replies} prompts answer an earlier message, which is no part of them; "
                "workload.turns: first takes those alone that begin a conversation"
            )
        if self._trace is not None:
            yield from self._trace.remarks()
        if self._unused:
            yield (
                f"the experiment's own settings decide, not those of the requests: "
                f"{', '.join(self._unused)}"
            )
        if self._own_lengths:
            yield (
                f"output lengths of the rows replace workload.output_tokens for "
                f"{self._own_lengths} of {counted(self._prompts, 'prompt')}; "
                "workload.row_lengths: false ignores them"
            )

    def _prompt(self, row: Any, place: str) -> Prompt | None:
        if isinstance(row, str):
            for name in ("column", "template"):
                if getattr(self.workload, name) is not None:
                    raise WorkloadError(
                        f"{place} is a text and has no columns", hint=f"Remove workload.{name}."
                    )
            return Prompt(row, place=place)
        if isinstance(row, Mapping):
            return self._of_mapping(self._request(row), place)
        if isinstance(row, Sequence) and row and not isinstance(row, bytes):
            content = self._content(row, "", {}, place)
            return self._of_content(content, None, place)
        raise WorkloadError(f"{place} is neither a string nor an object")

    def _request(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the request of a row of a batch file, else the row."""
        for name in ("body", "params"):
            request = row.get(name)
            if isinstance(request, Mapping):
                used = {*SISTERS, *conversations.COLUMNS, "stream", "tools"}
                self._unused |= dict.fromkeys(
                    key for key in request if plain(key) not in used and not is_length(key)
                )
                return request
        return row

    def _of_mapping(self, row: Mapping[str, Any], place: str) -> Prompt | None:
        workload = self.workload
        output = output_tokens(row, place) if workload.row_lengths else None
        if workload.template is None and self._column is None and self._trace is None:
            self._choose(row, place)
        if self._trace is not None:
            length = self._trace.input_tokens(row, place)
            if length == 0 or output == 0:
                self._left_out["have no token of prompt or of output"] += 1
                return None
            return Prompt(RandomTokens(length), output, place)
        if output == 0:
            raise WorkloadError(
                f"{place} states an output of 0 tokens",
                hint="Remove the row, or set workload.row_lengths: false.",
            )
        if workload.template is not None:
            return Prompt(filled(workload.template, row, place), output, place)
        assert self._column is not None
        name = find(row, self._column)
        if name is None:
            raise no_column(row, self._column, place)
        if row[name] is None or (isinstance(row[name], str) and not row[name].strip()):
            raise WorkloadError(
                f"{place}: column {name!r} is empty",
                hint="Fill it in or delete the row; workload.column names another column.",
            )
        role = conversations.ROLES.get(plain(row.get("role")))
        if role not in (None, "user") and isinstance(row[name], str):
            self._left_out["are no message of a user"] += 1
            return None
        if role == "user" and not is_empty(row.get("parent_id")):
            if workload.turns == "first":
                self._conversations += 1
                self._left_out["answer an earlier message"] += 1
                return None
            self._replies += 1
            self._conversations += 1
        content = self._content(row[name], name, row, place)
        if workload.column is None:
            _refuse_sisters(row, name, place)
        return self._of_content(content, output, place)

    def _of_content(
        self, content: str | Messages | TokenIds | None, output: int | None, place: str
    ) -> Prompt | None:
        if content is None:
            self._left_out["hold no user turn"] += 1
            return None
        return Prompt(content, output, place)

    def _content(
        self, value: Any, name: str, row: Mapping[str, Any], place: str
    ) -> str | Messages | TokenIds | None:
        """Return the prompt in a cell; ``None`` for a conversation without a user turn."""
        if isinstance(value, str) and plain(name) in _LISTS:
            value = _unpacked(value, name, place)
        if isinstance(value, str):
            return value
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            if value and all(type(id) is int and id >= 0 for id in value):
                return TokenIds(tuple(value))
            if conversations.is_conversation(value, name):
                return self._conversation(value, name, row, place)
        raise WorkloadError(
            f"{place}{f': column {name!r}' if name else ''} holds {kind(value)}, not text",
            hint="Name the column with the prompts as workload.column.",
        )

    def _conversation(
        self, value: Sequence[Any], name: str, row: Mapping[str, Any], place: str
    ) -> str | Messages | None:
        if row.get("tools") or row.get("functions"):
            raise WorkloadError(
                f"{place} offers tools to the model, and llem passes none on",
                hint="Remove the tools, or the rows that have them.",
            )
        systems = [row[key] for key in row if plain(key) in _SYSTEM and not is_empty(row[key])]
        content, later = conversations.conversation(
            value,
            name=name,
            turns=self.workload.turns,
            system=str(systems[0]) if systems else "",
            place=place,
        )
        self._conversations += 1
        self._later_turns += later
        if isinstance(content, Messages) and later == 0:
            self._answered += len(content.messages) < len(value)
        return content

    def _choose(self, row: Mapping[str, Any], place: str) -> None:
        """Decide by the first row which column holds the prompts, or that the rows are lengths."""
        usual = (*USUAL_COLUMNS, *conversations.COLUMNS, *TOKEN_COLUMNS)
        if self.workload.column is None and {"role", "content"} == set(map(plain, row)):
            raise WorkloadError(
                f"{place} is a message, and a prompt is a whole conversation",
                hint='Put the messages of a conversation into a list: {"messages": [...]}.',
            )
        found = (name for name in usual if _may_hold(row, name))
        self._column = self.workload.column or next(found, None)
        self._trace = None if self._column is not None else Trace.of(row, place)
        if self._column is None and self._trace is None:
            raise WorkloadError(
                f"{place} has no column named {', '.join(USUAL_COLUMNS)}; "
                f"its columns are: {', '.join(map(str, row))}",
                hint="Name the column with the prompts as workload.column, or join several by "
                r'workload.template, such as "{title}\n\n{body}".',
            )


def _may_hold(row: Mapping[str, Any], column: str) -> bool:
    """Whether the row has ``column``, with a list or its JSON where a list belongs."""
    name = find(row, column)
    if name is None:
        return False
    value = row[name]
    return column not in _LISTS or not isinstance(value, str) or value.lstrip().startswith("[")


def _unpacked(value: str, name: str, place: str) -> Any:
    """Return the list that a cell of a text table holds as JSON."""
    try:
        return json.loads(value)
    except ValueError as error:
        raise WorkloadError(
            f"{place}: column {name!r} holds text that is no JSON list: {error}",
            hint="Name the column with the prompts as workload.column.",
        ) from None


def _refuse_sisters(row: Mapping[str, Any], name: str, place: str) -> None:
    """Refuse a row with a further column of the prompt, which would be left out."""
    talks = [key for key in row if plain(key) in conversations.COLUMNS and key != name]
    text = row[name] if isinstance(row[name], str) else None
    used = {name} if text is not None else {name, *(key for key in row if plain(key) in _SYSTEM)}
    sisters = [
        key
        for key, value in row.items()
        if key not in used and plain(key) in SISTERS and not is_empty(value)
    ]
    sisters += [key for key in talks if _adds(row[key], text)]
    if not sisters:
        return
    first = _SYSTEM if plain(name) == "instruction" else _BEFORE
    before = [sister for sister in sisters if plain(sister) in first]
    names = [*before, name, *(sister for sister in sisters if sister not in before)]
    template = r"\n\n".join(f"{{{name}}}" for name in names if plain(name) not in _MEDIA)
    together = f'Set workload.template: "{template}" to use them together, or '
    raise WorkloadError(
        f"{place}: column {name!r} alone would be the prompt, "
        f"and the row holds more: {', '.join(sisters)}",
        hint=(together if template != f"{{{name}}}" else "llem measures text alone. Set ")
        + f"workload.column: {name} to use it alone.",
    )


def _adds(talk: Any, text: str | None) -> bool:
    """Whether a conversation is more than what follows from the text that it begins with."""
    if is_empty(talk) or not isinstance(talk, Sequence) or not isinstance(talk[0], Mapping):
        return False
    return bool(talk[0].get("content", talk[0].get("value")) != text)


def refuse_numbers(prompts: Sequence[Prompt], source: str) -> None:
    """Refuse prompts that are all numbers: they are lengths or labels, and no texts.

    Raises:
        WorkloadError: No prompt holds a word.
    """
    texts = [prompt.content for prompt in prompts if isinstance(prompt.content, str)]
    if texts and len(texts) == len(prompts) and all(map(_NUMBER.fullmatch, texts)):
        raise WorkloadError(
            f"{source}: all prompts are numbers, such as {texts[0].strip()[:80]}",
            hint="Name the column with the texts as workload.column. A trace of lengths is found "
            "by the names of its columns, and needs no workload.column.",
        )
