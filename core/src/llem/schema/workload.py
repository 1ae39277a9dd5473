"""The workload: where prompts come from, and how long prompts and outputs are."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    NaiveDatetime,
    Tag,
    field_validator,
    model_validator,
)

from llem.schema.base import FrozenModel, Param

MOST_TOKENS = 1_000_000
"""Longest prompt or output."""

Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS), Param(unit="tokens")]


class UniformLength(FrozenModel):
    """Lengths drawn evenly from `low` to `high`, both included."""

    distribution: Literal["uniform"]
    """Shape of the distribution."""
    low: Tokens
    """Minimum length."""
    high: Tokens
    """Maximum length."""

    @model_validator(mode="after")
    def _ordered(self) -> UniformLength:
        if self.low > self.high:
            raise ValueError("low must not exceed high")
        return self


class NormalLength(FrozenModel):
    """Lengths from a normal distribution, rounded, at least 1."""

    distribution: Literal["normal"]
    """Shape of the distribution."""
    mean: Annotated[float, Field(gt=0, le=1_000_000), Param(unit="tokens")]
    """Mean length before rounding."""
    std: Annotated[float, Field(ge=0, le=1_000_000), Param(unit="tokens")]
    """Standard deviation of the length."""
    max: Tokens | None = None
    """Longer draws are cut to this length."""


class LogNormalLength(FrozenModel):
    """Lengths whose logarithm is normal, rounded, at least 1: many are short, few are long."""

    distribution: Literal["lognormal"]
    """Shape of the distribution."""
    median: Annotated[float, Field(gt=0, le=1_000_000), Param(unit="tokens")]
    """Median length."""
    sigma: Annotated[float, Field(ge=0, le=5), Param(unit="1")]
    """Standard deviation of the length's natural logarithm."""
    max: Tokens | None = None
    """Longer draws are cut to this length."""


def _length_kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return value.get("distribution")
    return getattr(value, "distribution", "fixed")


Length = Annotated[
    Annotated[Tokens, Tag("fixed")]
    | Annotated[UniformLength, Tag("uniform")]
    | Annotated[NormalLength, Tag("normal")]
    | Annotated[LogNormalLength, Tag("lognormal")],
    Discriminator(_length_kind),
]
"""A fixed number of tokens, or a distribution."""


class _Workload(FrozenModel):
    output_tokens: Length = 64
    """Output tokens per request: exact where EOS is ignored, an upper bound otherwise."""

    max_input_tokens: Tokens | None = None
    """Longer prompts are cut at their beginning, but for special tokens and the words of a chat
    template; the outcome holds the number of cut prompts."""

    order: Literal["given", "shuffled", "shortest-first", "longest-first"] = "given"
    """Order in which requests are submitted."""

    seed: Annotated[int, Field(ge=0, lt=2**32), Param(unit="1")] = 0
    """Seed of every draw: prompts, lengths, order."""


class SyntheticWorkload(_Workload):
    """Random token ids; energy and speed depend on lengths, not on the text."""

    source: Literal["synthetic"] = "synthetic"
    """Where prompts come from."""

    requests: Annotated[int, Field(ge=1, le=10_000_000), Param(unit="requests")] = 32
    """Requests in one repetition of the workload."""

    input_tokens: Length = 128
    """Prompt length per request."""


def template_parts(template: str) -> list[tuple[str, str | None]]:
    """Return the texts of ``template`` and the column that follows each.

    Raises:
        ValueError: A brace is not closed, or holds more than the name of a column.
    """
    parts = []
    for text, column, form, conversion in Formatter().parse(template):
        if column == "" or form or conversion:
            raise ValueError("between braces stands the name of a column, and nothing else")
        parts.append((text, column))
    return parts


def _checked_template(template: str) -> str:
    if all(column is None for _, column in template_parts(template)):
        raise ValueError("it names no column: write {name} where a column's text belongs")
    return template


def _text_encoding(name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError(f"Python knows no text encoding {name!r}") from None
    return name


_NO_TEMPLATE_ARGUMENTS = frozenset({
    "chat_template", "continue_final_message", "conversation", "max_length", "messages", "padding",
    "return_assistant_tokens_mask", "return_dict", "return_tensors", "sanitize_control_tokens",
    "tokenize", "tokenizer_kwargs", "truncation",
})  # fmt: skip
"""Arguments of `apply_chat_template` that never reach the template, and the messages."""


class TextWorkload(_Workload):
    """Prompts with a text: what they have in common, whatever they come from."""

    requests: Annotated[int | None, Field(ge=1, le=10_000_000), Param(unit="requests")] = None
    """Requests in one repetition of the workload; unset takes every prompt."""

    chat_template: bool | Annotated[str, Field(min_length=1)] = False
    """Whether the model's chat template wraps each prompt that is a text as a user message, or the
    name of the template, of several; messages always go through it."""

    chat_template_kwargs: Annotated[
        dict[str, Any], Param(examples=({"enable_thinking": False},))
    ] = {}
    """Arguments for the chat template, as transformers' `apply_chat_template` takes them."""

    system_prompt: str | None = None
    """System message of each chat that has none of its own."""

    template_time: NaiveDatetime | None = None
    """Time that the chat template sees, such as `2026-01-31T12:00`; unset takes the time when the
    study or the single run began."""

    @field_validator("chat_template_kwargs")
    @classmethod
    def _for_the_template(cls, value: dict[str, Any]) -> dict[str, Any]:
        if found := sorted(_NO_TEMPLATE_ARGUMENTS & value.keys()):
            raise ValueError(f"{found[0]} is no argument of a template: llem sets it")
        return value


ChatMessages = Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]


class PromptsWorkload(TextWorkload):
    """Prompts written in the config itself."""

    source: Literal["prompts"]
    """Where prompts come from."""

    prompts: Annotated[tuple[str | ChatMessages, ...], Field(min_length=1)]
    """The prompts, each a text or a list of messages with `role` and `content`; `requests` takes
    the first ones."""


class _RowsWorkload(TextWorkload):
    column: str | None = None
    """Column or key of the prompt; unset tries the usual names."""

    template: Annotated[
        str | None, AfterValidator(_checked_template), Param(examples=("{context}\n\n{question}",))
    ] = None
    """Prompt of several columns: each `{name}` stands for the text of that column."""

    turns: Literal["first", "all"] | None = None
    """Of a conversation, the first user turn, or all up to the last answer; unset takes all of
    `messages`, and the first turn of recorded conversations (ShareGPT, MT-bench)."""

    row_lengths: bool = True
    """Whether an output length that a row states replaces `output_tokens` for that row."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.column is not None and self.template is not None:
            raise ValueError("column and template exclude each other: name the column in template")
        return self


class FileWorkload(_RowsWorkload):
    """Prompts, or lengths, from a file: JSON, CSV, Parquet, or a prompt per line."""

    source: Literal["file"]
    """Where prompts come from."""

    path: Annotated[str, Field(min_length=1), Param(examples=("prompts.jsonl",))]
    """Path of the file, relative to the config file; its suffix sets the format."""

    encoding: Annotated[
        str | None, AfterValidator(_text_encoding), Param(examples=("windows-1252",))
    ] = None
    """Encoding of a text file, such as `utf-16`; unset is UTF-8."""


class BuiltinWorkload(TextWorkload):
    """A small prompt set that ships with llem."""

    source: Literal["builtin"]
    """Where prompts come from."""

    name: str = "everyday"
    """Name of the prompt set."""


class DatasetWorkload(_RowsWorkload):
    """Prompts from a Hugging Face dataset (needs the `datasets` extra)."""

    source: Literal["dataset"]
    """Where prompts come from."""

    id: Annotated[str, Field(min_length=1), Param(examples=("squad",))]
    """Hub id or local path of the dataset."""

    requests: Annotated[int | None, Field(ge=1, le=10_000_000), Param(unit="requests")] = 100
    """Requests in one repetition of the workload; null takes every row."""

    config: str | None = None
    """Configuration of the dataset, if it has several."""

    split: str = "train"
    """Split to read."""

    revision: str | None = None
    """Branch, tag or commit of the dataset."""


def _source(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("source", "synthetic")
    return getattr(value, "source", None)


Workload = Annotated[
    Annotated[SyntheticWorkload, Tag("synthetic")]
    | Annotated[PromptsWorkload, Tag("prompts")]
    | Annotated[FileWorkload, Tag("file")]
    | Annotated[BuiltinWorkload, Tag("builtin")]
    | Annotated[DatasetWorkload, Tag("dataset")],
    Discriminator(_source),
]
"""Any workload; `source` selects the kind, by default synthetic."""
