"""Numbers as files hold them, and figures as llem names them: in SI units, or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from math import isfinite
from typing import Any

from llem.api.importers import ImportHints
from llem.errors import ConfigError, counted

Data = Mapping[str, Any]
Figures = dict[str, float]

J_PER_KWH = 3.6e6

ENGINES = {
    "vllm": ("vllm", "vllm"),
    "sglang": ("sglang", "sglang"),
    "trt": ("trt", "tensorrt_llm"),
    "trtllm": ("trt", "tensorrt_llm"),
    "tensorrt": ("trt", "tensorrt_llm"),
    "tensorrtllm": ("trt", "tensorrt_llm"),
    "lmdeploy": ("lmdeploy", "lmdeploy"),
    "tgi": ("tgi", "text-generation-inference"),
    "llama.cpp": ("llama.cpp", "llama.cpp"),
}
"""llem's backend and the engine, by the names that tools use."""


def engine_called(name: Any) -> tuple[str, str | None]:
    """Return backend and engine of a tool's name for an engine.

    The name of a protocol, such as ``openai-chat``, says nothing of the engine behind it.
    """
    spelled = str(name or "").lower().replace("-", "").replace("_", "")
    return ENGINES.get(spelled, ("unknown", None))


def number(value: Any) -> float | None:
    """Return a finite number, also one that is spelled out (``1,024.5``); ``None`` for others."""
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", ""))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:  # a whole number beyond the range of floats
        return None


def whole(value: Any) -> int | None:
    """Return a whole number; ``None`` for a fraction, such as a mean length."""
    known = number(value)
    return int(known) if known is not None and known == int(known) else None


def numbers(value: Any) -> list[float]:
    """Return the finite numbers of a list; empty for anything else."""
    found = map(number, value) if isinstance(value, list) else ()
    return [item for item in found if item is not None]


def text(value: Any) -> str | None:
    """Return a text, also of a number such as a version; ``None`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def positive(document: Data, key: str) -> float:
    """Return a number on which other figures depend.

    Raises:
        ConfigError: It is missing, or not positive.
    """
    value = number(document.get(key))
    if value is None or value <= 0:
        raise ConfigError(f"{key} is {document.get(key)}, and the rates follow from it")
    return value


def known(figures: Mapping[str, float | None]) -> Figures:
    """Return the figures that have a value."""
    return {name: value for name, value in figures.items() if value is not None}


def ratio(value: float | None, *by: float | None) -> float | None:
    """Return ``value`` divided by each divisor; ``None`` where any is unknown or zero."""
    for divisor in by:
        if value is None or not divisor:
            return None
        value /= divisor
    return value


def metered(
    gross_j: float | None, duration_s: float | None, hints: ImportHints
) -> dict[str, float | None]:
    """Return the figures of a program that a meter watched, whose requests only the user knows."""
    return {
        "duration_s": duration_s,
        "gross_j": gross_j,
        "mean_w": ratio(gross_j, duration_s),
        "j_per_request": ratio(gross_j, hints.requests),
        "j_per_output_token": ratio(gross_j, hints.requests, hints.output_tokens),
    }


def scaled(value: Any, factor: float) -> float | None:
    """Return a number in another unit."""
    amount = number(value)
    return None if amount is None else amount * factor


def part(section: Any, *names: str) -> Data:
    """Return a section within ``section``; empty where there is none."""
    for name in names:
        section = section.get(name) if isinstance(section, Mapping) else None
    return section if isinstance(section, Mapping) else {}


def statistics(name: str, section: Any, factor: float = 1.0) -> Figures:
    """Return median, 99th percentile and mean of a latency, where ``section`` has them.

    Args:
        name: Name of the latency, such as ``ttft_s``.
        section: Values by ``p50`` or ``median``, ``p99``, ``mean``, ``avg`` or ``average``.
        factor: Seconds in the section's unit.
    """
    if not isinstance(section, Mapping):
        return {}
    spellings = {"p50": ("p50", "median"), "p99": ("p99",), "mean": ("mean", "avg", "average")}
    found = {
        statistic: next((section[key] for key in keys if section.get(key) is not None), None)
        for statistic, keys in spellings.items()
    }
    return known({f"{name}_{key}": scaled(value, factor) for key, value in found.items()})


def lengths(requests: Any, inputs: Any, outputs: Any) -> dict[str, int]:
    """Return the part ``workload`` of a result's settings, as far as lengths are equal."""
    amounts = {
        "requests": whole(requests),
        "input_tokens": whole(inputs),
        "output_tokens": whole(outputs),
    }
    return {name: amount for name, amount in amounts.items() if amount is not None}


def failures(failed: Any, of: Any = None) -> tuple[str, ...]:
    """Return a remark on failed requests, if there are any."""
    count, total = whole(failed), whole(of)
    if not count:
        return ()
    failed_ones = f"{count} of {counted(total, 'request')}" if total else counted(count, "request")
    return (f"{failed_ones} failed; the figures are those of the others",)


def table(content: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file by the names in its first line; a cell too few is empty."""
    names, *lines = (cells for cells in rows(content) if cells)
    return [dict(zip_longest(names, cells[: len(names)], fillvalue="")) for cells in lines]


def rows(content: str) -> list[list[str]]:
    """Return the cells of a CSV file, line by line.

    Raises:
        ConfigError: It is no CSV.
    """
    try:
        return list(csv.reader(io.StringIO(content), skipinitialspace=True))
    except csv.Error as error:
        raise ConfigError(f"it is no table: {error}") from error


def header(content: Any) -> Sequence[str]:
    """Return the names in the first line of a CSV file; none for JSON data."""
    if not isinstance(content, str):
        return ()
    first = content.lstrip().partition("\n")[0].strip()
    return [name.strip().strip('"') for name in first.split(",")]


def nested(row: Mapping[str, str]) -> dict[str, Any]:
    """Return a row with dotted names as nested sections; an empty cell is ``None``."""
    found: dict[str, Any] = {}
    for path, cell in row.items():
        *sections, name = path.split(".")
        section = found
        for step in sections:
            inner = section.setdefault(step, {})
            section = inner if isinstance(inner, dict) else {}
        section[name] = cell or None
    return found
