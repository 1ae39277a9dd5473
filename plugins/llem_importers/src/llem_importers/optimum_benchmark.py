"""Results of optimum-benchmark: ``benchmark.json``, or ``benchmark_report.json`` alone.

The report holds a section for each target. Release 0.6 has ``generate`` (the whole call),
``prefill``, ``decode`` and ``per_token``; older releases, LLM-Perf's among them, have no
``generate``: a call is ``prefill`` and ``decode``. Energies are CodeCarbon's, in kWh, memory
included in the total: the mean of a call, and in the scenario ``energy_star`` (AI Energy Score)
that of a pass over all samples. The throughput of ``generate`` is unused: 0.6.0 counts decoded
tokens as samples there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from statistics import fmean
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.figures import (
    Data,
    Figures,
    header,
    known,
    nested,
    number,
    numbers,
    part,
    ratio,
    scaled,
    statistics,
    table,
    text,
    whole,
)
from llem_importers.optimum_energy import PHASES, energy_of

BYTES_PER_MB = 1e6

_TABLE = {"report.prefill.latency.mean", "report.decode.latency.mean"}
_WHOLE_CALL = ("generate",)
_LISTED = re.compile(r"'([^']+)'")


def read(document: Any, hints: ImportHints) -> ImportedResult | list[ImportedResult] | None:
    """Return what is in ``document``; ``None`` if optimum-benchmark did not write it.

    Args:
        document: The file's JSON data, or the text of LLM-Perf's table.
        hints: Batch and lengths, for a report without its config.
    """
    if isinstance(document, str):
        is_table = set(header(document)) >= _TABLE
        runs = [_run(nested(row), hints) for row in table(document)] if is_table else []
        return [run for run in runs if run is not None and run.metrics] or None
    return _run(document, hints) if isinstance(document, Mapping) else None


def _run(document: Data, hints: ImportHints) -> ImportedResult | None:
    report, config = document.get("report", document), part(document, "config")
    if not isinstance(report, Mapping) or not any(
        all(_is_measured(report.get(target)) for target in call) for call in (_WHOLE_CALL, PHASES)
    ):
        return None
    backend, scenario = part(config, "backend"), part(config, "scenario")
    environment = part(config, "environment")
    is_dataset = "preprocess_dataset" in report or "load_dataset" in report
    work = _work(scenario, hints, _samples(report, scenario) if is_dataset else None)
    gpu = environment.get("gpu")
    gpus = gpu if isinstance(gpu, list) else _LISTED.findall(str(gpu)) or [gpu]
    memory_mb = number(environment.get("cpu_ram_mb"))
    name = str(backend.get("name") or "unknown")
    figures = _figures(report, work)
    return ImportedResult(
        tool="optimum-benchmark",
        tool_version=text(environment.get("optimum_benchmark_version")),
        backend=name,
        model=str(backend.get("model") or "unknown"),
        engine=text(backend.get("library")),
        engine_version=text(environment.get(f"{backend.get('library')}_version")),
        metrics=figures,
        repetitions=_repetitions(report, work),
        energy_boundary="CPU, GPU and memory by CodeCarbon: counters, or constant power"
        if "gross_j" in figures
        else None,
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
        logical_cores=whole(environment.get("cpu_count")),
        memory_bytes=None if memory_mb is None else int(memory_mb * BYTES_PER_MB),
        gpus=tuple(product for item in gpus if (product := text(item))),
        python=text(environment.get("python_version")),
    )


def _is_measured(section: Any) -> bool:
    return isinstance(section, Mapping) and {"latency", "energy", "memory"} <= section.keys()


def _work(scenario: Data, hints: ImportHints, samples: int | None) -> ImportHints:
    """Return requests and lengths of a repetition: from the config, else from the hints."""
    shapes, kwargs = part(scenario, "input_shapes"), part(scenario, "generate_kwargs")
    return ImportHints(
        requests=samples or whole(shapes.get("batch_size")) or hints.requests,
        input_tokens=whole(shapes.get("sequence_length")) or hints.input_tokens,
        output_tokens=whole(kwargs.get("max_new_tokens")) or hints.output_tokens,
    )


def _samples(report: Data, scenario: Data) -> int | None:
    """Return the samples of a pass: as configured, else as its efficiency was computed."""
    configured = whole(scenario.get("num_samples"))
    if configured is not None and configured > 0:
        return configured
    efficiency = part(report, "preprocess_dataset", "efficiency")
    energy_kwh = number(part(report, "preprocess_dataset", "energy").get("total"))
    per_kwh = scaled(efficiency.get("value"), 1) if energy_kwh else None
    return round(per_kwh * energy_kwh) if per_kwh and energy_kwh else None


def _figures(report: Data, work: ImportHints) -> Figures:
    figures: dict[str, float | None] = {
        name: fmean(values) for name, values in _repetitions(report, work).items()
    }
    for name, target in (("ttft_s", "prefill"), ("itl_s", "per_token"), ("e2e_s", "generate")):
        latency = part(report, target, "latency")
        figures |= {
            key: value for key, value in statistics(name, latency).items() if key[-4:] != "mean"
        }
        if f"{name}_p50" not in figures and (mean_s := number(latency.get("mean"))) is not None:
            figures[f"{name}_mean"] = mean_s
    calls_s = [number(part(report, target, "latency").get("mean")) for target in PHASES]
    if "duration_s" not in figures and None not in calls_s:
        duration_s = sum(call_s for call_s in calls_s if call_s is not None)
        figures["duration_s"] = duration_s
        figures |= {name: ratio(amount, duration_s) for name, amount in _amounts(work).items()}
    memory = part(report, "decode", "memory")
    figures |= {
        "host_peak_rss_bytes": scaled(memory.get("max_ram"), BYTES_PER_MB),
        "device_peak_bytes": scaled(memory.get("max_process_vram"), BYTES_PER_MB),
    }
    return known(figures | energy_of(report, work))


def _amounts(work: ImportHints) -> dict[str, float]:
    """Return what a call processes, by the name of its rate."""
    output = (work.requests or 0) * (work.output_tokens or 0)
    prompt = (work.requests or 0) * (work.input_tokens or 0)
    amounts = {
        "requests_per_s": work.requests,
        "output_tokens_per_s": output,
        "total_tokens_per_s": output and prompt and output + prompt,
    }
    return {name: amount for name, amount in amounts.items() if amount}


def _repetitions(report: Data, work: ImportHints) -> dict[str, list[float]]:
    """Return the metrics of each timed call of ``generate``."""
    durations_s = numbers(part(report, "generate", "latency").get("values"))
    if not durations_s or min(durations_s) <= 0:
        return {}
    rates = {
        name: [amount / duration_s for duration_s in durations_s]
        for name, amount in _amounts(work).items()
    }
    return {"duration_s": durations_s, **rates}
