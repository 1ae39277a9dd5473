"""Find columns of a row by name, join them by a template, and read the lengths they state."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llem.errors import WorkloadError
from llem.schema.workload import MOST_TOKENS, template_parts

USUAL_COLUMNS = ("prompt", "text", "question", "instruction", "input", "query", "content")
"""Columns that may hold prompts, in order of preference, where none is named."""

_OUTPUTS = frozenset({
    "outputtokens", "outputlen", "outputlength", "expectedoutputlen", "expectedoutputtokens",
    "maxtokens", "maxnewtokens", "maxoutputtokens", "maxcompletiontokens", "completiontokens",
    "generatedtokens", "responsetokens", "decodetokens", "numdecodetokens", "numoutputtokens",
    "tokensize", "osl", "outputtokenscount",
})  # fmt: skip
_INPUTS = frozenset({
    "contexttokens", "requesttokens", "prompttokens", "inputtokens", "inputlength", "inputlen",
    "promptlen", "promptlength", "promptsize", "prefilltokens", "numprefilltokens",
    "numinputtokens", "numprompttokens", "isl", "prompttokenscount",
})  # fmt: skip
_ARRIVALS = frozenset({"timestamp", "arrivedat", "arrivaltime", "arrivaltimestamp", "delay"})
_NOT_A_LETTER = re.compile(r"[^a-z0-9]")


def plain(name: Any) -> str:
    """Return the name of a column without case and blank space."""
    return str(name).strip().lower()


def bare(name: Any) -> str:
    """Return the letters and digits of a column's name: ``Request tokens`` is ``requesttokens``."""
    return _NOT_A_LETTER.sub("", plain(name))


def is_length(name: Any) -> bool:
    """Whether a column of this name states a number of tokens."""
    return bare(name) in _OUTPUTS | _INPUTS


def find(row: Mapping[str, Any], wanted: str) -> str | None:
    """Return the name of column ``wanted`` as ``row`` spells it, case aside."""
    if wanted in row:
        return wanted
    alike = [name for name in row if plain(name) == plain(wanted)]
    return alike[0] if len(alike) == 1 else None


def no_column(row: Mapping[str, Any], column: str, place: str) -> WorkloadError:
    """Return the error for a row without ``column``."""
    names = [str(name) for name in row]
    near = difflib.get_close_matches(column, names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Its columns are: {', '.join(names)}."
    return WorkloadError(f"{place} has no column {column!r}", hint=hint)


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing: no value, no text, or no element."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (hasattr(value, "__len__") and not len(value)) or not str(value).strip()


def kind(value: Any) -> str:
    """Return what ``value`` is, in words."""
    if value is None:
        return "nothing"
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    fallback = "an object" if isinstance(value, Mapping) else "a list"
    return kinds.get(type(value), fallback)


def filled(template: str, row: Mapping[str, Any], place: str) -> str:
    """Return ``template`` with the row's cells; blank space beside an empty cell goes with it.

    Raises:
        WorkloadError: The row lacks a column, or a cell cannot be written as text.
    """
    written = ""
    for text, column in template_parts(template):
        if column is None:
            written += text
            continue
        name = find(row, column)
        if name is None:
            raise no_column(row, column, place)
        cell = _cell(row[name], name, place)
        written += ("" if not text.strip() and not (cell and written) else text) + cell
    return written


def _cell(value: Any, name: str, place: str) -> str:
    if is_empty(value):
        return ""
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    raise WorkloadError(
        f"{place}: column {name!r} holds {kind(value)}, which a template cannot write",
        hint="Write its text into a column of its own.",
    )


def output_tokens(row: Mapping[str, Any], place: str) -> int | None:
    """Return the output length that ``row`` states, 0 included; ``None`` if it states none.

    Raises:
        WorkloadError: The length is no whole number, or too large.
    """
    stated = [name for name in row if bare(name) in _OUTPUTS and not is_empty(row[name])]
    lengths = {name: _tokens(row[name], name, place) for name in stated}
    if len(set(lengths.values())) > 1:
        raise WorkloadError(
            f"{place} states several output lengths: "
            f"{', '.join(f'{name} {length}' for name, length in lengths.items())}",
            hint="Keep one of these columns, or set workload.row_lengths: false.",
        )
    return next(iter(lengths.values()), None)


def _tokens(value: Any, name: str, place: str) -> int:
    try:
        length = float(value)
        whole = int(length)
    except (TypeError, ValueError, OverflowError):
        length, whole = math.nan, -1
    if whole != length or isinstance(value, bool) or not 0 <= whole <= MOST_TOKENS:
        raise WorkloadError(
            f"{place}: column {name!r} is no number of tokens: {str(value)[:80]}",
            hint=f"A length is a whole number up to {MOST_TOKENS:,}.",
        )
    return whole


@dataclass(frozen=True, slots=True)
class Trace:
    """The columns of a trace of lengths, such as Azure, BurstGPT, Mooncake and vidur write.

    Attributes:
        input: Column with the length of each prompt.
        arrival: Column with the time of each request, or empty.
        prefix: Column that says which prompts share a beginning, or empty.
    """

    input: str
    arrival: str
    prefix: str

    @classmethod
    def of(cls, row: Mapping[str, Any], place: str) -> Trace | None:
        """Return the columns of a row that states a prompt's length, and holds no prompt.

        Raises:
            WorkloadError: The row holds a text of some words, which may be the prompt.
        """
        inputs, arrivals, prefixes = (
            [name for name in row if bare(name) in names]
            for names in (_INPUTS, _ARRIVALS, {"hashids"})
        )
        if not inputs:
            return None
        for name, value in row.items():
            if isinstance(value, str) and (len(value.split()) > 3 or len(value) > 60):
                raise WorkloadError(
                    f"{place} states lengths ({inputs[0]}) and holds a text in {name!r}",
                    hint=f"Set workload.column: {name} if that is the prompt; a trace of lengths "
                    "holds no text.",
                )
        return cls(inputs[0], "".join(arrivals[:1]), "".join(prefixes[:1]))

    def input_tokens(self, row: Mapping[str, Any], place: str) -> int:
        """Return the length of the row's prompt.

        Raises:
            WorkloadError: It is no whole number, too large, or part of it is images.
        """
        for name, value in row.items():
            if bare(name) == "numimages" and not is_empty(value) and _tokens(value, name, place):
                raise WorkloadError(
                    f"{place} is a request with images, and llem measures text alone",
                    hint=f"Keep the rows in which {name} is 0.",
                )
        if self.input not in row:
            raise no_column(row, self.input, place)
        return _tokens(row[self.input], self.input, place)

    def remarks(self) -> Iterator[str]:
        """Yield what becomes of the trace."""
        yield f"the rows are lengths ({self.input}), so the prompts are random tokens"
        if self.arrival:
            yield (
                f"arrival times ({self.arrival}) are not replayed: the requests of a repetition "
                "are submitted together"
            )
        if self.prefix:
            yield f"shared prefixes ({self.prefix}) are not replayed: every prompt is drawn anew"
