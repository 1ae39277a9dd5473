"""Results of optimum-benchmark 0.6: ``benchmark.json``, or ``benchmark_report.json`` alone.

The report holds a section for each target: ``prefill`` (a batch's prompts and its first tokens),
``generate`` (the whole call), ``per_token`` and ``decode``. Its energies are CodeCarbon's: the mean
of a call in kWh, memory included in the total. Its throughput of ``generate`` is unused: it counts
decoded tokens as samples (``run_per_token_text_generation_latency_tracking`` in its 0.6.0).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

from llem.api.hookspecs import hookimpl
from llem.api.importers import ImportedResult, ImportHints, ResultImporter


@hookimpl
def llem_result_importers() -> Sequence[ResultImporter]:
    """Offer the formats of tools that run several engines."""
    return (
        ResultImporter(
            name="optimum-benchmark",
            summary="benchmark.json or benchmark_report.json of optimum-benchmark",
            reader="llem.builtin.optimum_benchmark.read",
        ),
    )


J_PER_KWH = 3.6e6
BYTES_PER_MB = 1e6

Section = Mapping[str, Any]


def read(document: Any, hints: ImportHints) -> ImportedResult | None:
    """Return the result in ``document``; ``None`` if optimum-benchmark did not write it.

    Args:
        document: The file's JSON data.
        hints: Batch and lengths, for a report without its config.
    """
    if not isinstance(document, Mapping):
        return None
    report, config = document.get("report", document), document.get("config") or {}
    if not isinstance(report, Mapping) or not _is_measured(report.get("generate")):
        return None
    backend, scenario = _part(config, "backend"), _part(config, "scenario")
    environment = _part(config, "environment")
    work = _work(scenario, hints)
    gpus = environment.get("gpu") or ()
    memory_mb = environment.get("cpu_ram_mb")
    name = str(backend.get("name") or "unknown")
    return ImportedResult(
        tool="optimum-benchmark",
        tool_version=environment.get("optimum_benchmark_version"),
        backend=name,
        model=str(backend.get("model") or "unknown"),
        engine=backend.get("library"),
        engine_version=environment.get(f"{backend.get('library')}_version"),
        metrics=_metrics(report, work),
        repetitions=_repetitions(report, work),
        settings={
            "workload": {key: value for key, value in asdict(work).items() if value is not None},
            name: {
                key: value
                for key, value in backend.items()
                if key not in ("name", "model", "_target_") and value not in (None, {})
            },
            "scenario": dict(scenario),
        },
        system=str(environment.get("platform") or ""),
        cpu=str(environment.get("cpu") or "").strip(),
        logical_cores=environment.get("cpu_count"),
        memory_bytes=None if memory_mb is None else int(memory_mb * BYTES_PER_MB),
        gpus=(gpus,) if isinstance(gpus, str) else tuple(gpus),
        python=environment.get("python_version"),
    )


def _is_measured(section: Any) -> bool:
    return isinstance(section, Mapping) and {"latency", "energy", "memory"} <= section.keys()


def _work(scenario: Section, hints: ImportHints) -> ImportHints:
    """Return batch and lengths of a call: from the config, else from the hints."""
    shapes, kwargs = _part(scenario, "input_shapes"), _part(scenario, "generate_kwargs")
    return ImportHints(
        requests=shapes.get("batch_size") or hints.requests,
        input_tokens=shapes.get("sequence_length") or hints.input_tokens,
        output_tokens=kwargs.get("max_new_tokens") or hints.output_tokens,
    )


def _metrics(report: Section, work: ImportHints) -> dict[str, float]:
    metrics: dict[str, float | None] = {
        name: fmean(values) for name, values in _repetitions(report, work).items()
    }
    for latency_name, target in (
        ("ttft_s", "prefill"),
        ("itl_s", "per_token"),
        ("e2e_s", "generate"),
    ):
        latency = _part(report, target, "latency")
        metrics |= {
            f"{latency_name}_p50": latency.get("p50"),
            f"{latency_name}_p99": latency.get("p99"),
        }
    requests, prompt, output = work.requests, work.input_tokens, work.output_tokens
    generate_j, prefill_j, decode_j = (
        _joules(report, target) for target in ("generate", "prefill", "decode")
    )
    # Prefill generates the first token of each request.
    decoded = output - 1 if output else None
    memory = _part(report, "decode", "memory")
    metrics |= {
        "j_per_request": _ratio(generate_j, requests),
        "j_per_output_token": _ratio(generate_j, requests, output),
        "j_per_prefill_token": _ratio(prefill_j, requests, prompt),
        "j_per_decode_token": _ratio(decode_j, requests, decoded),
        "host_peak_rss_bytes": _bytes(memory.get("max_ram")),
        "device_peak_bytes": _bytes(memory.get("max_process_vram")),
    }
    return {name: value for name, value in metrics.items() if value is not None}


def _repetitions(report: Section, work: ImportHints) -> dict[str, list[float]]:
    """Return the metrics of each timed call of ``generate``."""
    durations_s = list(_part(report, "generate", "latency").get("values") or ())
    if not durations_s or min(durations_s) <= 0:
        return {}
    output = (work.requests or 0) * (work.output_tokens or 0)
    prompt = (work.requests or 0) * (work.input_tokens or 0)
    amounts = {
        "requests_per_s": work.requests,
        "output_tokens_per_s": output,
        "total_tokens_per_s": output and prompt and output + prompt,
    }
    rates = {
        name: [amount / duration_s for duration_s in durations_s]
        for name, amount in amounts.items()
        if amount
    }
    return {"duration_s": durations_s, **rates}


def _joules(report: Section, target: str) -> float | None:
    """Return the mean energy of a call."""
    energy = _part(report, target, "energy")
    if energy.get("unit") != "kWh" or energy.get("total") is None:
        return None
    return float(energy["total"]) * J_PER_KWH


def _ratio(value: float | None, *by: int | None) -> float | None:
    for divisor in by:
        if value is None or not divisor:
            return None
        value /= divisor
    return value


def _bytes(megabytes: float | None) -> float | None:
    return None if megabytes is None else megabytes * BYTES_PER_MB


def _part(section: Section, *names: str) -> Section:
    """Return a section within ``section``; empty where it is missing or null."""
    for name in names:
        section = section.get(name) or {}
    return section
