"""Results of vLLM's benchmarks: ``vllm bench serve``, ``latency``, ``throughput``, ``startup``.

Written against vLLM 0.32's ``vllm/benchmarks``, and the energy fields of its later
``lib/energy.py``. No file names the version that wrote it. The file of ``latency`` has neither
batch size nor lengths, and the file of ``throughput`` does not separate output tokens from prompt
tokens: figures that depend on them need the user's hints. ``serve`` measures any server: the
engine is unknown unless the file says it. A client's file without marks is not called vLLM's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers import inferencex, ml_energy, sglang_bench, trtllm_bench
from llem_importers.figures import (
    Data,
    Figures,
    engine_called,
    header,
    known,
    lengths,
    number,
    numbers,
    positive,
    ratio,
    table,
    whole,
)
from llem_importers.pytorch_records import run_of_records
from llem_importers.serving import (
    TOTALS,
    TRAFFIC,
    is_serving,
    model_of,
    serving_figures,
    serving_notes,
    serving_settings,
    started_at,
)

Repetitions = dict[str, list[float]]

_FORKS = (sglang_bench, ml_energy, inferencex, trtllm_bench)
_MARK = "endpoint_type"
"""A key of ``vllm bench serve`` that its older scripts and most copies of it lack."""

_STARTUP = re.compile(r"avg_((?:cold|warm)_\w+)_time")
_RESULT_KEY = re.compile(
    r"^(mean|median|std|p\d+|spec_decode|gpu|energy|total)_|_(ms|throughput|goodput|lens|times)$"
)
_OTHER_KEYS = frozenset({
    *TOTALS, *TRAFFIC, "date", "backend", "model_id", "failed", "num_prompts", "errors", "ttfts",
    "itls", "latencies", "generated_texts", "best_of", "rtfx", "max_concurrent_requests",
    "max_output_tokens_per_s",
})  # fmt: skip


def read(document: Any, hints: ImportHints) -> ImportedResult | list[ImportedResult] | None:
    """Return what is in ``document``; ``None`` if it is not that of a vLLM benchmark.

    Args:
        document: The file's JSON data, or the text of a sweep's table.
        hints: Facts that the file lacks.

    Raises:
        ConfigError: A figure on which the others depend is missing or zero.
    """
    if isinstance(document, list):
        document, hints = run_of_records(document, hints)
    if isinstance(document, str):
        return _sweep(document)
    if not isinstance(document, Mapping):
        return None
    if {"avg_latency", "latencies", "percentiles"} <= document.keys():
        return _latency(document, hints)
    if {"elapsed_time", "num_requests", "total_num_tokens"} <= document.keys():
        return _throughput(document, hints)
    if any(_STARTUP.fullmatch(key) for key in document):
        return _startup(document, hints)
    if is_serving(document) and not _is_fork(document):
        return _serve(document)
    return None


def _sweep(content: str) -> list[ImportedResult] | None:
    """Read the table of a sweep's runs, ``summary.csv``."""
    if not set(header(content)) >= TOTALS:
        return None
    runs = [{name: cell for name, cell in row.items() if name and cell} for row in table(content)]
    return [_serve(run) for run in runs if is_serving(run) and not _is_fork(run)] or None


def _is_fork(document: Data) -> bool:
    return any(fork.is_own(document) for fork in _FORKS)


def _latency(document: Data, hints: ImportHints) -> ImportedResult:
    """Read the durations of a batch that was repeated."""
    durations_s = [value for value in numbers(document["latencies"]) if value > 0]
    repetitions = _rates(durations_s, hints)
    figures = {name: fmean(values) for name, values in repetitions.items()}
    return _offline("latency", document, hints, figures, repetitions)


def _throughput(document: Data, hints: ImportHints) -> ImportedResult:
    """Read the duration of all requests together."""
    requests, duration_s = whole(document["num_requests"]), positive(document, "elapsed_time")
    work = ImportHints(requests, hints.input_tokens, hints.output_tokens)
    figures = {name: values[0] for name, values in _rates([duration_s], work).items()}
    total = ratio(number(document["total_num_tokens"]), duration_s)
    return _offline(
        "throughput", document, work, figures | known({"total_tokens_per_s": total}), {}
    )


def _startup(document: Data, hints: ImportHints) -> ImportedResult:
    """Read the times of starting the engine, with cold and with warm caches."""
    names = {key: match[1] for key in document if (match := _STARTUP.fullmatch(key))}
    figures = known({f"{name}_s": number(document[key]) for key, name in names.items()})
    repetitions = {f"{name}_s": numbers(document.get(f"{name}_times")) for name in names.values()}
    return _offline("startup", document, hints, figures, repetitions)


def _serve(document: Data) -> ImportedResult:
    """Read the statistics of a server."""
    backend, engine = engine_called(document.get("backend"))
    is_named = _MARK in document
    gross_j = number(document.get("gpu_energy_j"))
    ids = document.get("energy_gpu_ids")
    named = ", ".join(map(str, ids)) if isinstance(ids, list) else "unknown"
    return ImportedResult(
        tool="vllm bench serve" if is_named else "benchmark_serving of vLLM or a copy of it",
        backend=backend,
        engine=engine,
        model=model_of(document),
        metrics=serving_figures(document) | _energy(document, gross_j),
        energy_boundary=None if gross_j is None else f"GPU {named}, by energy counters",
        settings={**serving_settings(document), **_parameters(document)},
        started_at=started_at(document),
        notes=serving_notes(document),
    )


def _energy(document: Data, gross_j: float | None) -> Figures:
    stated_j = number(document.get("gpu_energy_per_output_token_j"))
    counted_j = ratio(gross_j, number(document["total_output_tokens"]))
    return known(
        {
            "gross_j": gross_j,
            "j_per_output_token": counted_j if stated_j is None else stated_j,
            "j_per_request": ratio(gross_j, number(document["completed"])),
            "mean_w": number(document.get("gpu_avg_power_w")),
        }
    )


def _parameters(document: Data) -> dict[str, dict[str, Any]]:
    """Return what a sweep or ``--metadata`` adds to the file."""
    added = {
        key: value
        for key, value in document.items()
        if key not in _OTHER_KEYS and not _RESULT_KEY.search(key)
        if value is not None and not isinstance(value, list | Mapping)
    }
    return {"parameters": added} if added else {}


def _rates(durations_s: Sequence[float], hints: ImportHints) -> Repetitions:
    """Return the rates that follow from durations and the work in each."""
    requests, inputs, outputs = hints.requests, hints.input_tokens, hints.output_tokens
    amounts = {
        "requests_per_s": requests,
        "output_tokens_per_s": requests and outputs and requests * outputs,
        "total_tokens_per_s": requests and outputs and inputs and requests * (inputs + outputs),
    }
    rates = {
        name: [amount / duration_s for duration_s in durations_s]
        for name, amount in amounts.items()
        if amount
    }
    return {"duration_s": list(durations_s), **rates} if durations_s else {}


def _offline(
    kind: str, document: Data, work: ImportHints, figures: Figures, repetitions: Repetitions
) -> ImportedResult:
    return ImportedResult(
        tool=f"vllm bench {kind}",
        backend="vllm",
        engine="vllm",
        model=model_of(document),
        metrics=figures,
        repetitions=repetitions,
        settings={"workload": lengths(work.requests, work.input_tokens, work.output_tokens)},
        started_at=started_at(document),
    )
