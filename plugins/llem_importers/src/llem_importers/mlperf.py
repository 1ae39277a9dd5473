"""Results of MLPerf Inference: LoadGen's ``mlperf_log_summary.txt``, a value in each line.

Latencies are in nanoseconds. The rate is of completed samples; offline runs and token-based models
name it otherwise. MLPerf keeps power in files of its own.
"""

from __future__ import annotations

import re
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem.errors import ConfigError
from llem_importers.figures import Figures, known, number, scaled

_TITLE = "MLPerf Results Summary"
_PERCENTILE = re.compile(r"(50|99)\.00 percentile (.+) \(ns\)")
_LATENCIES = {
    "latency": "e2e_s",
    "first token latency": "ttft_s",
    "time to output token": "tpot_s",
}
_RATES = {
    "requests_per_s": ("completed samples per second", "samples per second"),
    "output_tokens_per_s": ("completed tokens per second", "tokens per second"),
}


def read(document: Any, hints: ImportHints) -> ImportedResult | None:
    """Return the result in ``document``; ``None`` if it is not LoadGen's summary.

    Args:
        document: The text of a file.
        hints: Unused.

    Raises:
        ConfigError: The run measured accuracy alone.
    """
    if not isinstance(document, str) or _TITLE not in document[:2000]:
        return None
    lines = (line.partition(":") for line in document.splitlines())
    values = {name.strip().lower(): value.strip() for name, colon, value in lines if colon}
    if values.get("mode") == "AccuracyOnly":
        raise ConfigError("the run measured accuracy alone")
    verdict = values.get("result is")
    return ImportedResult(
        tool="MLPerf LoadGen",
        backend="unknown",
        model="unknown",
        metrics=_figures(values),
        settings={
            name: values[key]
            for name, key in (("sut", "sut name"), ("scenario", "scenario"), ("mode", "mode"))
            if key in values
        },
        notes=() if verdict in (None, "VALID") else (f"LoadGen calls the run {verdict}",),
    )


def _figures(values: dict[str, str]) -> Figures:
    rates: dict[str, float | None] = {
        figure: next((number(values[key]) for key in keys if key in values), None)
        for figure, keys in _RATES.items()
    }
    quantiles: dict[str, float | None] = {
        f"{_LATENCIES[match[2]]}_p{match[1]}": scaled(value, 1e-9)
        for name, value in values.items()
        if (match := _PERCENTILE.fullmatch(name)) and match[2] in _LATENCIES
    }
    return known(rates) | known(quantiles)
