"""Results of NVIDIA's aiperf, and of its predecessor GenAI-Perf: the JSON and CSV of ``profile``.

Both name a metric's unit beside it. aiperf 0.13 states energy: GPU counters, or power times time,
over the profiling phase; in older files the telemetry of each GPU holds its counter's growth.
GenAI-Perf's telemetry holds statistics of the counter's *readings*: their mean is no energy of the
run, and what the counter grew by is the largest less the smallest reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.aiperf_csv import metrics_of_csv
from llem_importers.figures import (
    Data,
    Figures,
    engine_called,
    failures,
    known,
    lengths,
    part,
    ratio,
    scaled,
    statistics,
    whole,
)

_NAMES = (
    "request_throughput", "request_latency", "time_to_first_token", "inter_token_latency",
    "output_token_throughput",
)  # fmt: skip
_UNITS = {
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "sec": 1.0, "s": 1.0, "seconds": 1.0,
    "mj": 1e-3, "j": 1.0, "kj": 1e3, "megajoules": 1e6, "joules": 1.0,
    "w": 1.0, "watts": 1.0, "mw": 1e-3, "kw": 1e3,
}  # fmt: skip
_AIPERF_KEYS = {"aiperf_version", "schema_version", "was_cancelled", "error_summary", "run_info"}


def read(document: Any, hints: ImportHints) -> ImportedResult | None:
    """Return the result in ``document``; ``None`` if it is not that of aiperf or GenAI-Perf.

    Args:
        document: The file's JSON data, or the text of its CSV form.
        hints: Unused, because these files state their work.
    """
    data = metrics_of_csv(document) if isinstance(document, str) else document
    if not isinstance(data, Mapping) or not any(_is_metric(data.get(name)) for name in _NAMES):
        return None
    is_aiperf = bool(_AIPERF_KEYS & data.keys() or part(data, "telemetry_data"))
    settings, requests = _input_config(data), _value(data, "request_count")
    failed = _value(data, "error_request_count")
    powers_w, energies_j, gpus = _telemetry(data, is_growth=is_aiperf)
    energy, boundary = _energy(data, powers_w, energies_j)
    version = data.get("aiperf_version")
    backend, engine = engine_called(settings.get("backend"))
    return ImportedResult(
        tool="aiperf" if is_aiperf else "GenAI-Perf",
        tool_version=None if version is None else str(version),
        backend=backend,
        engine=engine,
        model=_model(settings),
        metrics=_figures(data) | energy | known({"failed_requests": failed}),
        energy_boundary=boundary,
        settings={
            "workload": lengths(
                requests, *(_value(data, f"{side}_sequence_length") for side in ("input", "output"))
            ),
            "load": {
                key: settings[key]
                for key in ("concurrency", "request_rate", "endpoint_type")
                if settings.get(key) is not None
            },
        },
        started_at=str(data.get("start_time") or ""),
        gpus=gpus,
        notes=failures(whole(failed), (failed or 0) + (requests or 0)) + _incomplete(data),
    )


def _is_metric(section: Any) -> bool:
    return isinstance(section, Mapping) and "unit" in section and len(section) > 1


def _unit(section: Data) -> float:
    """Return the factor from a metric's unit to SI units; 1 for rates and counts."""
    unit = str(section.get("unit") or "").partition("/")[0].strip()
    return 1e6 if unit == "MJ" else _UNITS.get(unit.lower(), 1.0)


def _value(data: Data, name: str) -> float | None:
    """Return the mean of a metric in SI units, which is all that a total or a rate has."""
    section = part(data, name)
    return scaled(section.get("avg", section.get("value")), _unit(section))


def _figures(data: Data) -> Figures:
    names = {
        "duration_s": "benchmark_duration",
        "requests_per_s": "request_throughput",
        "output_tokens_per_s": "output_token_throughput",
        "total_tokens_per_s": "total_token_throughput",
    }
    figures = known({figure: _value(data, name) for figure, name in names.items()})
    for metric, name in (
        ("ttft_s", "time_to_first_token"),
        ("itl_s", "inter_token_latency"),
        ("e2e_s", "request_latency"),
    ):
        section = part(data, name)
        figures |= statistics(metric, section, _unit(section))
    return figures


def _energy(
    data: Data, powers_w: list[float], energies_j: list[float]
) -> tuple[Figures, str | None]:
    """Return what the file states of energy, and what that covers."""
    stated = {
        figure: next(
            (value for vendor in ("nvidia_", "amd_", "") if (value := _value(data, vendor + name))),
            None,
        )
        for figure, name in (
            ("gross_j", "total_gpu_energy"),
            ("mean_w", "total_gpu_power"),
            ("j_per_output_token", "energy_per_output_token"),
            ("j_per_request", "energy_per_request"),
        )
    }
    is_stated = stated["gross_j"] is not None
    gross_j = sum(energies_j) if energies_j else None
    gross_j = stated["gross_j"] if is_stated else gross_j
    counted = {
        "gross_j": gross_j,
        "mean_w": sum(powers_w) if powers_w else None,
        "j_per_output_token": ratio(
            gross_j, _value(data, "total_osl") or _value(data, "total_output_tokens")
        ),
        "j_per_request": ratio(gross_j, _value(data, "request_count")),
    }
    figures = known(counted) | known(stated)
    if is_stated:
        return figures, "GPUs over the profiling phase, by counter or power times time"
    what = "energy counters" if energies_j else "mean power"
    return figures, f"GPUs, by telemetry of {what}" if figures else None


def _telemetry(data: Data, *, is_growth: bool) -> tuple[list[float], list[float], tuple[str, ...]]:
    """Return mean power and growth of the counter of each GPU, and the names of the GPUs.

    Args:
        data: The file's data.
        is_growth: Whether the file holds the counter's growth, and not its readings.
    """
    powers_w: list[float | None] = []
    energies_j: list[float | None] = []
    names = []
    for name, metrics in _gpu_metrics(data):
        names.append(name)
        for key, section in metrics.items():
            if not isinstance(section, Mapping):
                continue
            unit = _unit(section)
            if key.endswith("power_usage"):
                powers_w.append(scaled(section.get("avg"), unit))
            elif key.endswith("energy_consumption") and is_growth:
                energies_j.append(scaled(section.get("avg"), unit))
            elif key.endswith("energy_consumption"):
                largest, smallest = (scaled(section.get(end), unit) for end in ("max", "min"))
                energies_j.append(
                    None if largest is None or smallest is None else largest - smallest
                )
    return _complete(powers_w), _complete(energies_j), tuple(name for name in names if name)


def _complete(values: list[float | None]) -> list[float]:
    """Return the values of all GPUs; none where one is missing, because a sum would lack it."""
    found = [value for value in values if value is not None]
    return found if len(found) == len(values) else []


def _gpu_metrics(data: Data) -> Iterator[tuple[str, Data]]:
    for endpoint in part(data, "telemetry_data", "endpoints").values():
        for gpu in part(endpoint, "gpus").values():
            yield str(part({"gpu": gpu}, "gpu").get("gpu_name") or ""), part(gpu, "metrics")
    by_metric = part(data, "telemetry_stats")
    indices = dict.fromkeys(
        key
        for section in by_metric.values()
        for key in part({"of": section}, "of")
        if key != "unit"
    )
    for index in indices:
        yield (
            "",
            {
                name: {**part(section, index), "unit": section.get("unit")}
                for name, section in by_metric.items()
                if isinstance(section, Mapping)
            },
        )


def _input_config(data: Data) -> Data:
    """Return the settings of a run, those of its endpoint among them."""
    settings = part(data, "input_config")
    return {**settings, **part(settings, "endpoint"), **part(settings, "loadgen")}


def _model(settings: Data) -> str:
    named = next((settings[k] for k in ("model", "model_names", "models") if settings.get(k)), None)
    if isinstance(named, Mapping):
        named = named.get("items") or named.get("names")
    if isinstance(named, list):
        named = ", ".join(
            str(item.get("name") if isinstance(item, Mapping) else item) for item in named
        )
    return str(named or "unknown")


def _incomplete(data: Data) -> tuple[str, ...]:
    if data.get("was_cancelled") or data.get("is_complete") is False:
        reason = data.get("incomplete_reason") or "it was canceled"
        return (f"the run is not complete: {reason}",)
    return ()
