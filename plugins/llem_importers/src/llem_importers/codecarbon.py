"""Results of CodeCarbon: ``emissions.csv``, with a row for each run that was tracked.

Its energy is that of CPU, GPU and memory: of GPUs by their counters; of the CPU by RAPL where that
can be read, else by a constant power; of memory always by a constant power. A row says neither the
source nor the model. Rows of one run hold running totals, of which the last one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.figures import (
    J_PER_KWH,
    header,
    known,
    lengths,
    metered,
    number,
    scaled,
    table,
    whole,
)

_KEYS = {"energy_consumed", "emissions", "duration"}
_SETTINGS = (
    "project_name",
    "task_name",
    "tracking_mode",
    "country_iso_code",
    "region",
    "pue",
    "on_cloud",
)
_BYTES_PER_GB = 1024**3  # CodeCarbon divides psutil's bytes by this


def read(document: Any, hints: ImportHints) -> Sequence[ImportedResult] | None:
    """Return each run in ``document``; ``None`` if it is no table of CodeCarbon.

    Args:
        document: The text of a file.
        hints: Work of each run, for energy by request and token.
    """
    if not set(header(document)) >= _KEYS:
        return None
    runs: dict[str, dict[str, str]] = {}
    for index, row in enumerate(table(document)):
        # Tasks of one tracker share its run.
        run = row.get("run_id", "") + row.get("task_name", "") or f"row {index}"
        runs.pop(run, None)
        runs[run] = row
    return [_result(row, hints) for row in runs.values()]


def _result(row: dict[str, str], hints: ImportHints) -> ImportedResult:
    gross_j, duration_s = scaled(row["energy_consumed"], J_PER_KWH), number(row["duration"])
    memory_gb, gpus = number(row.get("ram_total_size")), row.get("gpu_model") or ""
    parts_j = {
        f"{name}_j": scaled(row.get(f"{name}_energy"), J_PER_KWH) for name in ("cpu", "gpu", "ram")
    }
    return ImportedResult(
        tool="codecarbon",
        tool_version=row.get("codecarbon_version") or None,
        backend="unknown",
        model="unknown",
        metrics=known(
            {
                **metered(gross_j, duration_s, hints),
                **parts_j,
                "emissions_kg": number(row["emissions"]),
            }
        ),
        energy_boundary=f"CPU, GPU and memory of the {row.get('tracking_mode') or 'machine'}, "
        "by counters or by constant power",
        settings={
            "workload": lengths(hints.requests, hints.input_tokens, hints.output_tokens),
            "codecarbon": {key: row[key] for key in _SETTINGS if row.get(key)},
        },
        started_at=row.get("timestamp") or "",
        system=row.get("os") or "",
        cpu=row.get("cpu_model") or "",
        logical_cores=whole(row.get("cpu_count")),
        memory_bytes=None if memory_gb is None else int(memory_gb * _BYTES_PER_GB),
        gpus=tuple(name.strip() for name in gpus.split(",") if name.strip()),
        python=row.get("python_version") or None,
    )
