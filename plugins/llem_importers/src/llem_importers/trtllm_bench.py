"""Results of TensorRT-LLM: the report of ``trtllm-bench``, and its ``benchmark_serving``.

The report's latencies are in milliseconds, its rates those of the whole run. ``benchmark_serving``
is a copy of vLLM's client; its energy is what the server's ``/energy_metrics`` answered, whose
window is the server's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.figures import (
    Data,
    engine_called,
    known,
    lengths,
    number,
    part,
    ratio,
    scaled,
    statistics,
)
from llem_importers.serving import (
    is_serving,
    model_of,
    serving_figures,
    serving_notes,
    serving_settings,
    started_at,
)


def read(document: Any, hints: ImportHints) -> ImportedResult | None:
    """Return the result in ``document``; ``None`` if it is not that of TensorRT-LLM.

    Args:
        document: The file's JSON data.
        hints: Unused, because these files state their work.

    Raises:
        ConfigError: A figure on which the others depend is missing or zero.
    """
    if is_serving(document):
        return _serving(document) if is_own(document) else None
    if not isinstance(document, Mapping) or not {"engine", "performance"} <= document.keys():
        return None
    rates = part(document, "performance")
    is_report = "system_output_throughput_tok_s" in rates or "request_throughput_req_s" in rates
    return _report(document, rates) if is_report else None


def is_own(document: Data) -> bool:
    """Return whether the file of a serving client bears marks of TensorRT-LLM's."""
    return "user_throughput" in document or "avg_decoded_tokens_per_iter" in document


def _serving(document: Data) -> ImportedResult:
    energy = part(document, "energy")
    gross_j = number(energy.get("total_energy_j"))
    backend, engine = engine_called(document.get("backend"))
    if gross_j is not None:  # only TensorRT-LLM's own server tells it
        backend, engine = "trt", "tensorrt_llm"
    figures = known(
        {
            "gross_j": gross_j,
            "mean_w": number(energy.get("total_gpu_power_w")),
            "j_per_output_token": ratio(gross_j, number(document["total_output_tokens"])),
            "j_per_request": ratio(gross_j, number(document["completed"])),
        }
    )
    return ImportedResult(
        tool="TensorRT-LLM benchmark_serving",
        backend=backend,
        engine=engine,
        model=model_of(document),
        metrics=serving_figures(document) | figures,
        energy_boundary=None if gross_j is None else "GPUs, by the server, over its own window",
        settings=serving_settings(document),
        started_at=started_at(document),
        notes=serving_notes(document),
    )


def _report(document: Data, rates: Data) -> ImportedResult:
    engine, requests = part(document, "engine"), part(document, "request_info")
    streaming = part(document, "streaming_metrics")
    ttft_ms = {"mean": streaming.get("avg_ttft_ms"), **part(streaming, "ttft_percentiles")}
    tpot_ms = {"mean": streaming.get("avg_tpot_ms"), **part(streaming, "tpot_percentiles")}
    e2e_ms = {
        "mean": rates.get("avg_request_latency_ms"),
        **part(rates, "request_latency_percentiles_ms"),
    }
    version = engine.get("version")
    return ImportedResult(
        tool="trtllm-bench",
        tool_version=None if version is None else str(version),
        backend="trt",
        engine="tensorrt_llm",
        engine_version=None if version is None else str(version),
        model=str(engine.get("model") or "unknown"),
        metrics={
            **known(
                {
                    "duration_s": scaled(rates.get("total_latency_ms"), 1e-3),
                    "requests_per_s": number(rates.get("request_throughput_req_s")),
                    "output_tokens_per_s": number(rates.get("system_output_throughput_tok_s")),
                    "total_tokens_per_s": number(rates.get("system_total_throughput_tok_s")),
                }
            ),
            **statistics("ttft_s", ttft_ms, 1e-3),
            **statistics("tpot_s", tpot_ms, 1e-3),
            **statistics("e2e_s", e2e_ms, 1e-3),
        },
        settings={
            "workload": lengths(
                requests.get("num_requests"),
                requests.get("avg_input_length"),
                requests.get("avg_output_length"),
            ),
            "engine": {
                key: engine[key]
                for key in ("backend", "dtype", "kv_cache_dtype", "quantization")
                if engine.get(key) is not None
            },
            "world": dict(part(document, "world_info")),
        },
    )
