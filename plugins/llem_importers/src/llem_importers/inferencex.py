"""Results of InferenceX (once InferenceMAX): a run's raw file, and ``agg_*.json``.

The raw file is that of a copy of vLLM's client; where its latencies lack the suffix ``_ms``, they
are in seconds. The aggregate has rates for each GPU, latencies in seconds, and since August 2026
energy: GPU power integrated over the run, as a whole and for each token. ``avg_power_w`` is the
power of one GPU. Before version 2 of these figures, energy per token of several nodes was that of
one role.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.figures import (
    Data,
    Figures,
    engine_called,
    known,
    lengths,
    number,
    scaled,
    statistics,
    whole,
)
from llem_importers.serving import (
    has_seconds,
    is_serving,
    model_of,
    serving_figures,
    serving_notes,
    serving_settings,
    started_at,
)

_AGGREGATE = {"hw", "framework", "tput_per_gpu"}
_SETTINGS = (
    "conc", "precision", "spec_decoding", "disagg", "is_multinode", "tp", "pp", "ep",
    "dp_attention", "image",
)  # fmt: skip


def read(document: Any, hints: ImportHints) -> ImportedResult | None:
    """Return the result in ``document``; ``None`` if it is not that of InferenceX.

    Args:
        document: The file's JSON data.
        hints: Unused, because these files state their work.

    Raises:
        ConfigError: A figure on which the others depend is missing or zero.
    """
    if is_serving(document):
        return _raw(document) if is_own(document) else None
    if isinstance(document, Mapping) and document.keys() >= _AGGREGATE:
        return _aggregate(document)
    return None


def is_own(document: Data) -> bool:
    """Return whether the file of a serving client bears marks of InferenceX's."""
    return "benchmark_start_time_unix" in document or has_seconds(document)


def _raw(document: Data) -> ImportedResult:
    backend, engine = engine_called(document.get("backend"))
    return ImportedResult(
        tool="InferenceX",
        backend=backend,
        engine=engine,
        model=model_of(document),
        metrics=serving_figures(document),
        settings=serving_settings(document),
        started_at=started_at(document),
        notes=serving_notes(document),
    )


def _aggregate(document: Data) -> ImportedResult:
    gpus, decoding = _gpus(document)
    backend, engine = engine_called(str(document["framework"]).split("-")[-1])
    figures = known(
        {
            "output_tokens_per_s": scaled(document.get("output_tput_per_gpu"), decoding),
            "total_tokens_per_s": scaled(document["tput_per_gpu"], gpus),
        }
    )
    for metric, name in (
        ("ttft_s", "ttft"),
        ("itl_s", "itl"),
        ("tpot_s", "tpot"),
        ("e2e_s", "e2el"),
    ):
        values = {key: document.get(f"{key}_{name}") for key in ("median", "p99", "mean")}
        figures |= statistics(metric, values)
    energy, notes = _energy(document, gpus)
    return ImportedResult(
        tool="InferenceX",
        backend=backend,
        engine=engine or str(document["framework"]),
        model=model_of(document),
        metrics=figures | energy,
        energy_boundary=f"power of {gpus} GPUs over the run" if energy else None,
        settings={
            "workload": lengths(None, document.get("isl"), document.get("osl")),
            "run": {key: document[key] for key in _SETTINGS if document.get(key) is not None},
        },
        gpus=(str(document["hw"]),) * gpus,
        notes=notes,
    )


def _gpus(document: Data) -> tuple[int, int]:
    """Return the number of GPUs, and of those by which the output rate was divided."""
    if document.get("is_multinode"):
        prefill, decode = (
            whole(document.get(f"num_{role}_gpu")) or 0 for role in ("prefill", "decode")
        )
        return prefill + decode, decode or prefill
    sizes = (whole(document.get(key)) or 1 for key in ("tp", "pp", "pcp_size"))
    gpus = 1
    for size in sizes:
        gpus *= size
    return gpus, gpus


def _energy(document: Data, gpus: int) -> tuple[Figures, tuple[str, ...]]:
    """Return the energy, and why there is none where InferenceX itself rejects it."""
    if document.get("power_valid") in (0, False):
        return {}, ("InferenceX marks its power readings as not valid; its energy is left out",)
    whole_w = number(document.get("avg_total_gpu_power_w"))
    figures: dict[str, float | None] = {
        "gross_j": number(document.get("total_gpu_energy_j")),
        "mean_w": scaled(document.get("avg_power_w"), gpus) if whole_w is None else whole_w,
        "j_per_output_token": number(document.get("joules_per_output_token")),
        "j_per_request": number(document.get("joules_per_successful_query")),
    }
    notes: tuple[str, ...] = ()
    if document.get("is_multinode") and not document.get("power_metric_schema_version"):
        figures |= {"j_per_output_token": None, "j_per_request": None}
        notes = (
            "the file does not say whether energy per token is that of all nodes; it is left out",
        )
    return known(figures), notes
