"""Results of NVIDIA's aiperf, and of its predecessor GenAI-Perf: the JSON and CSV of ``profile``.

Both name a metric's unit beside it. Their energy is read in ``aiperf_energy``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.aiperf_csv import metrics_of_csv
from llem_importers.aiperf_energy import energy_of, mean_of, telemetry_of, unit_of
from llem_importers.figures import (
    Data,
    Figures,
    engine_called,
    failures,
    known,
    lengths,
    part,
    statistics,
    whole,
)

_NAMES = (
    "request_throughput", "request_latency", "time_to_first_token", "inter_token_latency",
    "output_token_throughput",
)  # fmt: skip
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
    settings, requests = _input_config(data), mean_of(data, "request_count")
    failed = mean_of(data, "error_request_count")
    powers_w, energies_j, gpus = telemetry_of(data, is_growth=is_aiperf)
    energy, boundary = energy_of(data, powers_w, energies_j)
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
                requests,
                *(mean_of(data, f"{side}_sequence_length") for side in ("input", "output")),
            ),
            "load": {
                key: settings[key]
                for key in ("concurrency", "request_rate", "endpoint_type")
                if settings.get(key) is not None
            },
        },
        started_at=str(data.get("start_time") or ""),
        gpus=gpus,
        notes=(
            *failures(whole(failed), (failed or 0) + (requests or 0)),
            *_incomplete(data),
            *_lost_energy(data, energy),
        ),
    )


def _is_metric(section: Any) -> bool:
    return isinstance(section, Mapping) and "unit" in section and len(section) > 1


def _figures(data: Data) -> Figures:
    names = {
        "duration_s": "benchmark_duration",
        "requests_per_s": "request_throughput",
        "output_tokens_per_s": "output_token_throughput",
        "total_tokens_per_s": "total_token_throughput",
    }
    figures = known({figure: mean_of(data, name) for figure, name in names.items()})
    for metric, name in (
        ("ttft_s", "time_to_first_token"),
        ("itl_s", "inter_token_latency"),
        ("e2e_s", "request_latency"),
    ):
        section = part(data, name)
        figures |= statistics(metric, section, unit_of(section))
    return figures


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


def _lost_energy(data: Data, energy: Figures) -> tuple[str, ...]:
    """Return a remark on counter readings that are no energy of the run."""
    if "gross_j" in energy or not part(data, "telemetry_stats", "energy_consumption"):
        return ()
    return ("readings of GPU energy counters without their range are no energy of the run",)
