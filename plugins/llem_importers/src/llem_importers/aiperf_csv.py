"""The CSV of aiperf and GenAI-Perf as the data that their JSON has: several tables in one file."""

from __future__ import annotations

import re
from typing import Any

from llem_importers.figures import header, rows

_NAME = re.compile(r"(.+?)(?: \(([^()]*)\))?$")
_GENAI_PERF = [
    "Metric",
    "avg",
    "min",
    "max",
    "p99",
    "p95",
    "p90",
    "p75",
    "p50",
    "p25",
    "p10",
    "p5",
    "p1",
]


def metrics_of_csv(text: str) -> dict[str, Any]:
    """Return metrics by the names of the JSON form, each with its unit; empty for another file."""
    data: dict[str, Any] = {}
    columns: list[str] = []
    for cells in rows(text) if header(text)[0] in ("Metric", "Endpoint") else ():
        if not any(cell.strip() for cell in cells):
            columns = []
        elif not columns:
            columns = cells
            if columns[0] == "Metric" and not data and columns != _GENAI_PERF:
                data["schema_version"] = None  # a mark of aiperf's
        elif len(cells) < min(len(columns), 3):
            continue  # the end of a file that was cut off
        elif columns[0] == "Endpoint" and {"Metric", "avg"} <= set(columns):
            _add_gpu(data, dict(zip(columns, cells, strict=False)))
        elif columns[:2] == ["Metric", "GPU"]:
            _add_reading(data, dict(zip(columns, cells, strict=False)))
        elif columns[0] == "Metric":
            if cells[:2] == ["Metric", "Value"]:
                columns = cells
                continue
            name, section = _metric(dict(zip(columns, cells, strict=False)))
            data[name] = section
    return data


def _metric(row: dict[str, str]) -> tuple[str, dict[str, str]]:
    match = _NAME.fullmatch(row["Metric"])
    name, unit = match.groups() if match else (row["Metric"], None)
    statistics = {key: value for key, value in row.items() if key != "Metric"}
    if "Value" in statistics:
        statistics["avg"] = statistics.pop("Value")
    return re.sub(r"\W+", "_", name).lower(), {"unit": unit or "count", **statistics}


def _add_gpu(data: dict[str, Any], row: dict[str, str]) -> None:
    """Add a row of GPU telemetry where the JSON form has it."""
    name, section = _metric({"Metric": row.get("Metric", ""), "avg": row.get("avg", "")})
    endpoints = data.setdefault("telemetry_data", {"endpoints": {}})["endpoints"]
    gpus = endpoints.setdefault(row["Endpoint"], {"gpus": {}})["gpus"]
    gpu = gpus.setdefault(row.get("GPU_UUID"), {"gpu_name": row.get("GPU_Name"), "metrics": {}})
    # The table says "NVIDIA GPU Power Usage", the JSON form "nvidia_power_usage".
    gpu["metrics"][name.replace("_gpu_", "_")] = section


def _add_reading(data: dict[str, Any], row: dict[str, str]) -> None:
    """Add a row of GenAI-Perf's telemetry where its JSON form has it."""
    name, section = _metric({key: value for key, value in row.items() if key != "GPU"})
    readings = data.setdefault("telemetry_stats", {}).setdefault(name, {"unit": section["unit"]})
    readings[row.get("GPU", "")] = section
