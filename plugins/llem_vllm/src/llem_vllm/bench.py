"""Results of vLLM's own benchmarks: ``vllm bench latency``, ``throughput`` and ``serve``.

Written against vLLM 0.32's ``vllm/benchmarks``. No file names the version that wrote it. The file
of ``latency`` has neither batch size nor lengths, and the file of ``throughput`` does not separate
output tokens from prompt tokens: figures that depend on them need the user's hints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import fmean, quantiles
from typing import Any

from llem.api.importers import ImportedResult, ImportHints

Data = Mapping[str, Any]
Figures = dict[str, float]
Repetitions = dict[str, list[float]]

_TRAFFIC = (
    "request_rate", "burstiness", "max_concurrency", "ramp_up_strategy", "ramp_up_start_rps",
    "ramp_up_end_rps", "endpoint_type", "tokenizer_id", "label",
)  # fmt: skip


def read(document: Any, hints: ImportHints) -> ImportedResult | None:
    """Return the result in ``document``; ``None`` if no benchmark of the three wrote it.

    Args:
        document: The file's JSON data.
        hints: Facts that the file lacks.
    """
    if not isinstance(document, Mapping):
        return None
    if {"avg_latency", "latencies", "percentiles"} <= document.keys():
        return _latency(document, hints)
    if {"elapsed_time", "num_requests", "total_num_tokens"} <= document.keys():
        return _throughput(document, hints)
    if {"duration", "completed", "total_input_tokens", "total_output_tokens"} <= document.keys():
        return _serve(document)
    return None


def _latency(document: Data, hints: ImportHints) -> ImportedResult:
    """Read the durations of a batch that was repeated."""
    repetitions = _rates(document["latencies"], hints)
    figures = {name: fmean(values) for name, values in repetitions.items()}
    return _result("latency", document, hints, figures, repetitions)


def _throughput(document: Data, hints: ImportHints) -> ImportedResult:
    """Read the duration of all requests together."""
    requests, duration_s = document["num_requests"], document["elapsed_time"]
    known = ImportHints(requests, hints.input_tokens, hints.output_tokens)
    figures = {name: values[0] for name, values in _rates([duration_s], known).items()}
    figures["total_tokens_per_s"] = document["total_num_tokens"] / duration_s
    return _result("throughput", document, known, figures, {})


def _serve(document: Data) -> ImportedResult:
    """Read the statistics of a server; the file's times are in milliseconds."""
    duration_s, completed = document["duration"], document["completed"]
    inputs, outputs = document["total_input_tokens"], document["total_output_tokens"]
    figures = {
        "duration_s": duration_s,
        "requests_per_s": completed / duration_s,
        "output_tokens_per_s": outputs / duration_s,
        "total_tokens_per_s": (inputs + outputs) / duration_s,
    }
    for metric, name in (("ttft_s", "ttft"), ("itl_s", "itl"), ("e2e_s", "e2el")):
        for quantile, statistic in (("p50", "median"), ("p99", "p99")):
            value_ms = document.get(f"{statistic}_{name}_ms")
            if value_ms is not None:
                figures[f"{metric}_{quantile}"] = value_ms / 1000
    figures = _request_latency(document) | figures
    each = ImportHints(
        completed,
        *(total // completed if completed and total % completed == 0 else None
          for total in (inputs, outputs)),
    )  # fmt: skip
    return _result("serve", document, each, figures, {})


def _request_latency(document: Data) -> Figures:
    """Return quantiles of the requests' times; none where some requests failed."""
    times_s = document.get("latencies") or ()
    if document.get("failed") or len(times_s) < 2:
        return {}
    percentiles = quantiles(times_s, n=100, method="inclusive")
    return {"e2e_s_p50": percentiles[49], "e2e_s_p99": percentiles[98]}


def _rates(durations_s: Sequence[float], hints: ImportHints) -> Repetitions:
    """Return the rates that follow from durations and the work in each."""
    found: Repetitions = {"duration_s": list(durations_s)}
    requests, inputs, outputs = hints.requests, hints.input_tokens, hints.output_tokens
    if requests:
        found["requests_per_s"] = [requests / duration_s for duration_s in durations_s]
        if outputs:
            found["output_tokens_per_s"] = [
                requests * outputs / duration_s for duration_s in durations_s
            ]
            if inputs:
                total = requests * (inputs + outputs)
                found["total_tokens_per_s"] = [total / duration_s for duration_s in durations_s]
    return found


def _result(
    kind: str, document: Data, work: ImportHints, figures: Figures, repetitions: Repetitions
) -> ImportedResult:
    lengths = {
        "requests": work.requests,
        "input_tokens": work.input_tokens,
        "output_tokens": work.output_tokens,
    }
    return ImportedResult(
        tool=f"vllm bench {kind}",
        backend="vllm",
        engine="vllm",
        model=str(document.get("model_id") or "unknown"),
        metrics=figures,
        repetitions=repetitions,
        settings={
            "workload": {name: value for name, value in lengths.items() if value is not None},
            "traffic": {
                name: document[name] for name in _TRAFFIC if document.get(name) is not None
            },
        },
        started_at=_started_at(document),
    )


def _started_at(document: Data) -> str:
    """Return the file's date, whose time zone the file does not say."""
    try:
        return datetime.strptime(document["date"], "%Y%m%d-%H%M%S").isoformat()
    except (KeyError, TypeError, ValueError):
        return ""
