"""Results of Hugging Face's inference-benchmarker: a result for each step of its load.

Its warm-up is a result as well, and left out. ``total_tokens`` are those generated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.figures import (
    Data,
    failures,
    known,
    lengths,
    number,
    part,
    ratio,
    scaled,
    statistics,
)

_KEYS = {"token_throughput_secs", "time_to_first_token_ms", "request_rate"}


def read(document: Any, hints: ImportHints) -> Sequence[ImportedResult] | None:
    """Return each result in ``document``; ``None`` if inference-benchmarker did not write it.

    Args:
        document: The file's JSON data.
        hints: Unused, because these files state their work.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("results"), list):
        return None
    results = document["results"]
    if not results or not all(
        isinstance(result, Mapping) and result.keys() >= _KEYS for result in results
    ):
        return None
    measured = [result for result in results if result.get("id") != "warmup"]
    return [_result(document, result) for result in measured or results]


def _result(document: Data, result: Data) -> ImportedResult:
    config, system = part(document, "config"), part(document, "system")
    duration_s = scaled(result.get("duration_ms"), 1e-3)
    generated, sent = (number(result.get(key)) for key in ("total_tokens", "total_tokens_sent"))
    both = None if generated is None or sent is None else generated + sent
    failed = number(result.get("failed_requests"))
    cpus = system.get("cpu")
    figures = known(
        {
            "duration_s": duration_s,
            "requests_per_s": number(result.get("request_rate")),
            "output_tokens_per_s": number(result.get("token_throughput_secs")),
            "total_tokens_per_s": ratio(both, duration_s),
            "failed_requests": failed,
        }
    )
    for metric, name in (
        ("ttft_s", "time_to_first_token_ms"),
        ("itl_s", "inter_token_latency_ms"),
        ("e2e_s", "e2e_latency_ms"),
    ):
        figures |= statistics(metric, result.get(name), 1e-3)
    return ImportedResult(
        tool="inference-benchmarker",
        backend="unknown",
        model=str(config.get("model_name") or config.get("tokenizer") or "unknown"),
        metrics=figures,
        settings={
            "workload": lengths(result.get("successful_requests"), None, None),
            "load": {"id": result.get("id"), "executor": result.get("executor_type")},
        },
        started_at=str(document.get("start_time") or ""),
        system=str(system.get("os_name") or ""),
        cpu=str(cpus[0]).partition("@")[0] if isinstance(cpus, list) and cpus else "",
        logical_cores=len(cpus) if isinstance(cpus, list) and cpus else None,
        notes=failures(failed, result.get("total_requests")),
    )
