"""Results of guidellm: ``benchmarks.json``, with a benchmark for each rate of a sweep.

Every statistic is kept for successful, incomplete and failed requests; those of the successful are
read. Latency of a request is in seconds, other latencies in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.figures import (
    Data,
    Figures,
    failures,
    known,
    lengths,
    number,
    part,
    statistics,
    text,
)


def read(document: Any, hints: ImportHints) -> Sequence[ImportedResult] | None:
    """Return each benchmark in ``document``; ``None`` if it is not a report of guidellm.

    Args:
        document: The file's JSON data.
        hints: Unused, because these files state their work.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("benchmarks"), list):
        return None
    benchmarks = document["benchmarks"]
    if not benchmarks or not all(_is_benchmark(benchmark) for benchmark in benchmarks):
        return None
    return [_result(document, benchmark) for benchmark in benchmarks]


def _is_benchmark(item: Any) -> bool:
    metrics = part({"item": item}, "item", "metrics")
    return bool(part(metrics, "requests_per_second") or part(metrics, "output_tokens_per_second"))


def _result(document: Data, benchmark: Data) -> ImportedResult:
    metrics = part(benchmark, "metrics")
    totals = part(metrics, "request_totals") or part(benchmark, "run_stats", "requests_made")
    # Incomplete are those that the end of the benchmark cut off.
    unfinished = {
        f"{name}_requests": number(totals.get(key))
        for name, key in (("failed", "errored"), ("incomplete", "incomplete"))
    }
    version = part(document, "metadata").get("guidellm_version")
    return ImportedResult(
        tool="guidellm",
        tool_version=None if version is None else str(version),
        backend="unknown",
        model=_model(document, benchmark),
        metrics=_figures(benchmark, metrics) | known(unfinished),
        settings={
            "workload": lengths(
                totals.get("successful"),
                _of_successful(metrics, "prompt_token_count").get("mean"),
                _of_successful(metrics, "output_token_count").get("mean"),
            ),
            "strategy": dict(
                part(benchmark, "config", "strategy")
                or part(benchmark, "scheduler", "strategy")
                or part(benchmark, "args", "strategy")
            ),
        },
        python=text(part(document, "metadata").get("python_version")),
        system=str(part(document, "metadata").get("platform") or ""),
        notes=failures(totals.get("errored"), totals.get("total")),
    )


def _of_successful(metrics: Data, name: str) -> Data:
    return part(metrics, name, "successful")


def _figures(benchmark: Data, metrics: Data) -> Figures:
    start_s, end_s = (number(benchmark.get(key)) for key in ("start_time", "end_time"))
    between_s = None if start_s is None or end_s is None else end_s - start_s
    stated_s = number(benchmark.get("duration"))
    figures = {
        "duration_s": between_s if stated_s is None else stated_s,
        **{
            figure: number(_of_successful(metrics, name).get("mean"))
            for figure, name in (
                ("requests_per_s", "requests_per_second"),
                ("output_tokens_per_s", "output_tokens_per_second"),
                ("total_tokens_per_s", "tokens_per_second"),
            )
        },
    }
    found = known(figures)
    for metric, name, factor in (
        ("ttft_s", "time_to_first_token_ms", 1e-3),
        ("itl_s", "inter_token_latency_ms", 1e-3),
        ("tpot_s", "time_per_output_token_ms", 1e-3),
        ("e2e_s", "request_latency", 1.0),
    ):
        section = _of_successful(metrics, name)
        found |= statistics(metric, {**section, **part(section, "percentiles")}, factor)
    return found


def _model(document: Data, benchmark: Data) -> str:
    """Return the model's id, which each version keeps in another place."""
    places = (
        part(benchmark, "config", "backend"),
        part(benchmark, "worker"),
        part(benchmark, "backend"),
        part(document, "config", "backend"),
        part(document, "args", "backend_kwargs"),
        part(document, "config"),
        part(document, "args"),
    )
    keys = ("model", "backend_model")
    return next((str(place[key]) for place in places for key in keys if place.get(key)), "unknown")
