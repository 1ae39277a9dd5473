"""The table of the quantisation study, from what `docs/measured/quantisation` keeps.

Speed and energy are those of the outcomes. The outcomes are older than the count of scales and
tables among the weights, and than a peak of memory that begins after loading, so memory is that of
`memory.json`: the same study, measured again for these figures alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import llem

MEASURED = Path(__file__).parent / "measured" / "quantisation"
OUTCOMES = MEASURED / "results"
MEMORY = json.loads((MEASURED / "memory.json").read_text(encoding="utf-8"))

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
    name = ("bfloat16", "int8", "nf4")[precision]
    memory = MEMORY[name]
    return (
        name,
        str(batch_size),
        f"{record['throughput.output_tokens_per_s']:.1f}",
        f"{energy_j:.3f} ± {record['energy.uncertainty_j_per_output_token']:.3f}",
        f"{memory['weights_bytes'] / 1e6:.0f}",
        f"{memory['host_peak_rss_bytes'][str(batch_size)] / 1e6:.0f}",
        f"{memory['host_load_peak_rss_bytes'] / 1e6:.0f}",
    )
