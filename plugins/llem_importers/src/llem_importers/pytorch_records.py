"""vLLM's results in the form of PyTorch's benchmark database: a record for each metric of a run.

``SAVE_TO_PYTORCH_BENCHMARK_FORMAT`` writes it beside the usual file, with the arguments of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llem.api.importers import ImportHints
from llem_importers.figures import part, whole


def run_of_records(
    records: Sequence[Any], hints: ImportHints
) -> tuple[dict[str, Any] | None, ImportHints]:
    """Return a run as its usual file has it, and the hints with what its arguments say.

    Args:
        records: Records of one run; the run is ``None`` if they are not those of a vLLM benchmark.
        hints: What the user knows; it wins.
    """
    sections = [part({"record": record}, "record") for record in records]
    names = {str(part(section, "benchmark").get("name")) for section in sections}
    if names != {"vLLM benchmark"}:
        return None, hints
    run: dict[str, Any] = {}
    for section in sections:
        metric = part(section, "metric")
        name, stated = str(metric.get("name")), metric.get("benchmark_values")
        values = stated if isinstance(stated, list) and stated else [None]
        run |= {**part(metric, "extra_info"), name: values[0]}
        run["model_id"] = part(section, "model").get("name")
        if name == "latency":
            run["latencies"] = values
    arguments = part(sections[0], "benchmark", "extra_info", "args")
    told = ImportHints(
        hints.requests or whole(arguments.get("batch_size")),
        hints.input_tokens or whole(arguments.get("input_len")),
        hints.output_tokens or whole(arguments.get("output_len")),
    )
    return run, told
