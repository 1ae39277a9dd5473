"""Results of llmperf: the ``…_summary.json`` of its token benchmark, flat, in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.figures import failures, known, lengths, number, scaled, statistics

_KEYS = {"results_ttft_s_quantiles_p50", "results_mean_output_throughput_token_per_s"}
_LATENCIES = (
    ("ttft_s", "ttft_s"),
    ("itl_s", "inter_token_latency_s"),
    ("e2e_s", "end_to_end_latency_s"),
)


def read(document: Any, hints: ImportHints) -> ImportedResult | None:
    """Return the result in ``document``; ``None`` if it is not a summary of llmperf.

    Args:
        document: The file's JSON data.
        hints: Unused, because these files state their work.
    """
    if not isinstance(document, Mapping) or not document.keys() >= _KEYS:
        return None
    failed = number(document.get("results_number_errors"))
    figures = known(
        {
            "requests_per_s": scaled(
                document.get("results_num_completed_requests_per_min"), 1 / 60
            ),
            "output_tokens_per_s": number(document["results_mean_output_throughput_token_per_s"]),
            "failed_requests": failed,
        }
    )
    for metric, name in _LATENCIES:
        values = {
            "p50": document.get(f"results_{name}_quantiles_p50"),
            "p99": document.get(f"results_{name}_quantiles_p99"),
            "mean": document.get(f"results_{name}_mean"),
        }
        figures |= statistics(metric, values)
    return ImportedResult(
        tool="llmperf",
        tool_version=str(document["version"]) if document.get("version") else None,
        backend="unknown",
        model=str(document.get("model") or "unknown"),
        metrics=figures,
        settings={
            "workload": lengths(
                document.get("results_num_completed_requests"),
                document.get("results_number_input_tokens_mean"),
                document.get("results_number_output_tokens_mean"),
            ),
            "load": {"num_concurrent_requests": document.get("num_concurrent_requests")},
        },
        notes=failures(failed, document.get("results_num_requests_started")),
    )
