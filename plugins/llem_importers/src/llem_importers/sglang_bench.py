"""Results of SGLang's benchmarks: ``bench_serving``, ``bench_offline_throughput``,
``bench_one_batch`` and ``bench_one_batch_server``.

Written against SGLang 0.5.23's ``sglang/benchmark``. ``bench_serving`` is a copy of vLLM's client
that names the engine it measured, measures end-to-end latency under a name of its own, and counts
the output's tokens a second time. The others run one batch: ``one_batch_server``'s own output rate
leaves prefill out, so it is computed anew.
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
    positive,
    ratio,
    text,
)
from llem_importers.serving import (
    is_serving,
    model_of,
    serving_figures,
    serving_notes,
    serving_settings,
)

_BATCH = {"run_name", "batch_size", "input_len", "output_len"}


def read(document: Any, hints: ImportHints) -> ImportedResult | None:
    """Return the result in ``document``; ``None`` if it is not that of an SGLang benchmark.

    Args:
        document: The file's JSON data.
        hints: Unused, because these files state their work.

    Raises:
        ConfigError: A figure on which the others depend is missing or zero.
    """
    if not isinstance(document, Mapping):
        return None
    if is_serving(document):
        return _serving(document) if is_own(document) else None
    if {"successful_requests", "total_latency", "total_output_tokens"} <= document.keys():
        return _offline(document)
    if document.keys() >= _BATCH and (
        "prefill_latency" in document or "overall_throughput" in document
    ):
        return _one_batch(document)
    return None


def is_own(document: Data) -> bool:
    """Return whether the file of a serving client bears marks of SGLang's."""
    return (
        str(document.get("backend", "")).startswith("sglang")
        or "total_output_tokens_retokenized" in document
        or any(key.endswith("_e2e_latency_ms") for key in document)
    )


def _serving(document: Data) -> ImportedResult:
    # "sglang-oai" and its like name a protocol of SGLang's own server.
    name = str(document.get("backend") or "").partition("-")[0]
    backend, engine = engine_called(name)
    server = document.get("server_info")
    info = server if isinstance(server, Mapping) else {}
    model = info.get("served_model_name") or info.get("model_path") or model_of(document)
    return ImportedResult(
        tool="SGLang bench_serving",
        backend=backend,
        engine=engine,
        engine_version=text(info.get("version")),
        model=str(model),
        metrics=serving_figures(document),
        settings=serving_settings(document),
        notes=serving_notes(document),
    )


def _offline(document: Data) -> ImportedResult:
    duration_s = positive(document, "total_latency")
    requests = number(document["successful_requests"])
    inputs, outputs = (number(document.get(f"total_{kind}_tokens")) for kind in ("input", "output"))
    both = None if inputs is None or outputs is None else inputs + outputs
    backend, engine = engine_called(document.get("backend", "sglang"))
    return ImportedResult(
        tool="SGLang bench_offline_throughput",
        # Its other backend, "runtime", is SGLang behind its server.
        backend="sglang" if engine is None else backend,
        engine=engine or "sglang",
        model=model_of(document),
        metrics=known(
            {
                "duration_s": duration_s,
                "requests_per_s": ratio(requests, duration_s),
                "output_tokens_per_s": ratio(outputs, duration_s),
                "total_tokens_per_s": ratio(both, duration_s),
            }
        ),
        settings={"workload": lengths(requests, None, None)},
    )


def _one_batch(document: Data) -> ImportedResult:
    is_server = "prefill_latency" not in document
    duration_s = positive(document, "latency" if is_server else "total_latency")
    requests, inputs, outputs = (
        number(document[key]) or 0 for key in ("batch_size", "input_len", "output_len")
    )
    generated = number(document.get("total_output_tokens")) or requests * outputs
    latencies = (
        {"ttft_s_max": number(document.get("last_ttft"))}
        if is_server
        # All requests of the batch have their first token at the same time.
        else {
            "ttft_s_p50": number(document["prefill_latency"]),
            "itl_s_p50": number(document.get("median_decode_latency")),
        }
    )
    return ImportedResult(
        tool="SGLang bench_one_batch_server" if is_server else "SGLang bench_one_batch",
        backend="sglang",
        engine="sglang",
        model=model_of(document),
        metrics=known(
            {
                "duration_s": duration_s,
                "requests_per_s": requests / duration_s,
                "output_tokens_per_s": generated / duration_s,
                "total_tokens_per_s": (requests * inputs + generated) / duration_s,
                **latencies,
            }
        ),
        settings={
            "name": document["run_name"],
            "workload": lengths(requests, inputs, outputs),
        },
    )
