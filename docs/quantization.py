"""The table of the quantisation study, from the outcomes kept in `docs/measured/quantisation`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import llem

OUTCOMES = Path(__file__).parent / "measured" / "quantisation" / "results"

HEADER = (
    "precision",
    "batch size",
    "output tokens/s",
    "J per output token (estimated)",
    "weights, MB",
    "peak memory of the worker, MB",
    "the same while loading, MB",
)


def table() -> str:
    """Return a row for each outcome, in the order of the batch sizes within each precision."""
    records = sorted(llem.load_results(OUTCOMES), key=_label)
    rows = [HEADER, ("---",) * 2 + ("---:",) * 5, *map(_row, records)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _label(record: dict[str, Any]) -> tuple[int, int]:
    """Return the place of the precision, and the batch size."""
    asked = [bool(record[f"experiment.pytorch.{key}"]) for key in ("load_in_8bit", "load_in_4bit")]
    return asked.index(True) + 1 if True in asked else 0, record["experiment.pytorch.batch_size"]


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    precision, batch_size = _label(record)
    energy_j = record["energy.j_per_output_token"]
    return (
        ("bfloat16", "int8", "nf4")[precision],
        str(batch_size),
        f"{record['throughput.output_tokens_per_s']:.1f}",
        f"{energy_j:.4f} ± {record['energy.uncertainty_j_per_output_token']:.4f}",
        f"{record['memory.weights_bytes'] / 1e6:.0f}",
        f"{record['memory.host_peak_rss_bytes'] / 1e6:.0f}",
        f"{record['memory.host_load_peak_rss_bytes'] / 1e6:.0f}",
    )
