"""Results of the ML.ENERGY benchmark 3.0: a run's ``results.json``, and JSON of its leaderboard.

Its energy is that of the GPUs, read by Zeus, in the *steady state*: from the first tokens of a full
batch until the last requests begin to leave it. Energy per token is that of the steady state
over its tokens, energy per request that times the output's length. The rates are those of the
whole run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem.errors import ConfigError
from llem_importers.figures import Data, Figures, known, number, part, ratio, statistics, whole
from llem_importers.serving import (
    is_serving,
    model_of,
    serving_figures,
    serving_notes,
    serving_settings,
    started_at,
)

_RUN_SETTINGS = ("seed", "max_num_seqs", "max_num_batched_tokens", "max_output_tokens")


def read(document: Any, hints: ImportHints) -> ImportedResult | Sequence[ImportedResult] | None:
    """Return the run in ``document``, or each configuration of a leaderboard's file.

    Args:
        document: The file's JSON data.
        hints: Unused, because these files state their work.

    Raises:
        ConfigError: The figures are those of models that generate no tokens, or none can be had.
    """
    if is_serving(document):
        return _run(document) if is_own(document) else None
    if not isinstance(document, Mapping) or not {"configurations", "task"} <= document.keys():
        return None
    configurations = document["configurations"]
    if not isinstance(configurations, list) or not all(map(_is_configuration, configurations)):
        return None
    if any("energy_per_token_joules" not in configuration for configuration in configurations):
        raise ConfigError(
            "its figures are per image or video; llem compares models that write text"
        )
    return [_configuration(document, configuration) for configuration in configurations]


def is_own(document: Data) -> bool:
    """Return whether the file of a serving client is that of an ML.ENERGY run."""
    return any(key.startswith("steady_state_") for key in document)


def _run(document: Data) -> ImportedResult:
    steady_s = number(document.get("steady_state_duration"))
    steady_j = number(document.get("steady_state_energy"))
    per_token_j = number(document.get("steady_state_energy_per_token"))
    outputs, completed = number(document["total_output_tokens"]), number(document["completed"])
    figures = serving_figures(document)
    of_all = "" if steady_s is None else f": {steady_s:g} s of {figures['duration_s']:g} s"
    energy = {
        "gross_j": steady_j,
        "mean_w": ratio(steady_j, steady_s),
        "j_per_output_token": per_token_j,
        "j_per_request": None
        if per_token_j is None or outputs is None
        else ratio(per_token_j * outputs, completed),
        "steady_state_duration_s": steady_s,
        "entire_benchmark_j": _gpu_energy(part(document, "entire_benchmark_measurement")),
    }
    settings = {key: document[key] for key in _RUN_SETTINGS if document.get(key) is not None}
    return ImportedResult(
        tool="ML.ENERGY benchmark",
        backend="unknown",
        model=model_of(document),
        metrics=figures | known(energy),
        energy_boundary=None if steady_j is None else f"GPUs in the steady state{of_all}",
        settings={**serving_settings(document), "run": settings},
        gpus=_gpus(document),
        started_at=started_at(document),
        notes=serving_notes(document),
    )


def _gpu_energy(measurement: Data) -> float | None:
    """Return the energy of all GPUs in a measurement of Zeus."""
    energies_j = [number(energy) for energy in part(measurement, "gpu_energy").values()]
    if not energies_j or None in energies_j:
        return None
    return sum(energy_j for energy_j in energies_j if energy_j is not None)


def _is_configuration(item: Any) -> bool:
    return isinstance(item, Mapping) and {"gpu_model", "num_gpus"} <= item.keys()


def _configuration(document: Data, configuration: Data) -> ImportedResult:
    figures: Figures = known(
        {
            "j_per_output_token": number(configuration["energy_per_token_joules"]),
            "j_per_request": number(configuration.get("energy_per_request_joules")),
            "mean_w": number(configuration.get("avg_power_watts")),
            "output_tokens_per_s": number(configuration.get("output_throughput_tokens_per_sec")),
        }
    )
    itl_ms = {name: configuration.get(f"{name}_itl_ms") for name in ("median", "p99")}
    described = {**document, **configuration}
    return ImportedResult(
        tool="ML.ENERGY leaderboard",
        backend="unknown",
        model=model_of(described),
        metrics=figures | statistics("itl_s", itl_ms, 1e-3),
        energy_boundary="GPUs in the steady state",
        settings={
            "task": document["task"],
            **{
                key: value
                for key, value in described.items()
                if key in ("max_num_seqs", "weight_precision", "architecture", "parallelization")
                or key.endswith("_parallel")
            },
        },
        gpus=_gpus(configuration),
    )


def _gpus(section: Data) -> tuple[str, ...]:
    name = section.get("gpu_model")
    return (str(name),) * (whole(section.get("num_gpus")) or 1) if name else ()
