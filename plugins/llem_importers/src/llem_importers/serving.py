"""What the many copies of vLLM's serving client have in common: totals, rates, latencies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from statistics import quantiles
from typing import Any

from llem.errors import ConfigError
from llem_importers.figures import (
    Data,
    Figures,
    failures,
    known,
    lengths,
    number,
    positive,
    statistics,
    whole,
)

TOTALS = frozenset({"duration", "completed", "total_input_tokens", "total_output_tokens"})
"""Keys of every such file."""

_LATENCIES = (
    ("ttft_s", "ttft"),
    ("itl_s", "itl"),
    ("tpot_s", "tpot"),
    ("e2e_s", "e2el"),
    ("e2e_s", "e2e_latency"),
)

TRAFFIC = (
    "request_rate", "burstiness", "max_concurrency", "ramp_up_strategy", "ramp_up_start_rps",
    "ramp_up_end_rps", "endpoint_type", "tokenizer_id", "label", "dataset_name",
)  # fmt: skip
"""Keys that describe the load."""


def is_serving(document: Any) -> bool:
    """Return whether a file is that of a serving client of this kind."""
    return isinstance(document, Mapping) and document.keys() >= TOTALS


def has_seconds(document: Data) -> bool:
    """Return whether a file gives latencies in seconds, under names without ``_ms``."""
    return any(
        number(document.get(f"{statistic}_{name}")) is not None
        for statistic in ("median", "p99", "mean")
        for _, name in _LATENCIES
    )


def serving_figures(document: Data) -> Figures:
    """Return rates and latencies.

    Raises:
        ConfigError: No time passed, or no request completed, so that there are no rates.
    """
    duration_s, completed = positive(document, "duration"), number(document["completed"])
    if not completed:
        raise ConfigError("no request completed")
    inputs, outputs = (number(document[f"total_{kind}_tokens"]) for kind in ("input", "output"))
    both = None if inputs is None or outputs is None else inputs + outputs
    figures: dict[str, float | None] = {
        "duration_s": duration_s,
        "requests_per_s": completed / duration_s,
        "output_tokens_per_s": None if outputs is None else outputs / duration_s,
        "total_tokens_per_s": None if both is None else both / duration_s,
        "failed_requests": number(failed_requests(document)),
    }
    return known(figures) | _own_latencies(document) | _stated_latencies(document)


def _stated_latencies(document: Data) -> Figures:
    found: Figures = {}
    for metric, name in _LATENCIES:
        for suffix, factor in (("", 1.0), ("_ms", 1e-3)):
            values = {
                statistic: document.get(f"{statistic}_{name}{suffix}")
                for statistic in ("median", "p99", "mean")
            }
            found |= statistics(metric, values, factor)
    return found


def _own_latencies(document: Data) -> Figures:
    """Return quantiles of the requests' times; none where some requests failed."""
    times_s = document.get("latencies") or document.get("e2els") or ()
    known_s = [number(time_s) for time_s in times_s] if isinstance(times_s, list) else []
    if failed_requests(document) or len(known_s) < 2 or None in known_s:
        return {}
    percentiles = quantiles(filter(None, known_s), n=100, method="inclusive")
    return {"e2e_s_p50": percentiles[49], "e2e_s_p99": percentiles[98]}


def failed_requests(document: Data) -> int | None:
    """Return the number of failed requests, if the file says it or lets it be counted."""
    if (stated := whole(document.get("failed"))) is not None:
        return stated
    if isinstance(errors := document.get("errors"), list):
        return sum(1 for error in errors if error)
    asked, completed = whole(document.get("num_prompts")), whole(document["completed"])
    return None if asked is None or completed is None else max(asked - completed, 0)


def serving_notes(document: Data) -> tuple[str, ...]:
    """Return a remark on failed requests, if there are any."""
    failed, completed = failed_requests(document), whole(document["completed"])
    return failures(failed, (failed or 0) + (completed or 0))


def serving_settings(document: Data) -> dict[str, Any]:
    """Return requests, lengths if all are equal, and the load."""
    completed = whole(document["completed"])
    each = [
        total // completed if completed and total is not None and total % completed == 0 else None
        for total in (whole(document[f"total_{kind}_tokens"]) for kind in ("input", "output"))
    ]
    return {
        "workload": lengths(completed, *each),
        "traffic": {name: document[name] for name in TRAFFIC if document.get(name) is not None},
    }


def model_of(document: Data) -> str:
    """Return the model's id."""
    return str(document.get("model_id") or document.get("model") or "unknown")


def started_at(document: Data) -> str:
    """Return the file's date, whose time zone the file does not say."""
    try:
        return datetime.strptime(document["date"], "%Y%m%d-%H%M%S").isoformat()
    except (KeyError, TypeError, ValueError):
        return ""
