"""An outcome as MLflow's parameters, metrics and tags, as plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from llem.schema.outcome import Outcome

FIGURES = (
    "tokens", "timing", "throughput", "latency", "energy", "compute", "memory", "counters",
    "overhead",
)  # fmt: skip
"""Parts of an outcome whose numbers are metrics."""

MAX_KEY_LENGTH = 250
MAX_VALUE_LENGTH = 6000
"""MLflow's limits on a key and on a parameter's value, in characters."""


def parameters(outcome: Outcome) -> dict[str, str]:
    """Return the requested and the effective values; unset values are left out."""
    document = {"experiment": outcome.experiment, "effective": outcome.effective}
    return {
        _key(path): _text(value)[:MAX_VALUE_LENGTH]
        for path, value in _leaves(document)
        if value not in (None, "", [], {})
    }


def metrics(outcome: Outcome) -> dict[str, float]:
    """Return every figure; a figure that was not measured is absent."""
    document = outcome.model_dump(mode="json", include=set(FIGURES))
    return {_key(path): float(value) for path, value in _leaves(document) if _is_number(value)}


def repetitions(outcome: Outcome) -> Iterator[tuple[int, str, float]]:
    """Yield step, key and value of every figure of every measured repetition."""
    for step, repetition in enumerate(outcome.timing.repetitions):
        for name, value in repetition.model_dump(mode="json").items():
            if name != "start_monotonic_s" and _is_number(value):
                yield step, f"repetition.{name}", float(value)


def tags(outcome: Outcome) -> dict[str, str]:
    """Return the verdict, and the environment and identity of the outcome."""
    environment, place = outcome.environment, outcome.study
    known = {
        "id": outcome.id,
        "status": outcome.status,
        "valid": outcome.verdict.valid,
        "reasons": " ".join(reason.code for reason in outcome.verdict.reasons),
        "warnings": " ".join(dict.fromkeys(warning.code for warning in outcome.warnings)),
        "version": environment.llem_version,
        "experiment_sha256": outcome.experiment_sha256,
        "input_ids_sha256": outcome.workload.input_ids_sha256 if outcome.workload else None,
        "backend": outcome.experiment.get("backend"),
        "engine": environment.engine,
        "engine_version": environment.engine_version,
        "devices": " ".join(environment.devices),
        "energy_provenance": outcome.energy.provenance if outcome.energy else None,
        "study": place.name if place else None,
        "block": place.block if place else None,
        "repeat": place.repeat if place else None,
    }
    return {
        f"llem.{name}": _text(value) for name, value in known.items() if value not in (None, "")
    }


def _leaves(section: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value by its dotted path; a list is a value."""
    for key, value in section.items():
        inner = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, inner)
        else:
            yield inner, value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key(path: str) -> str:
    """Return ``path`` with the characters that MLflow allows; a slash would make a folder."""
    return re.sub(r"[^\w.\- :]", "_", path)[:MAX_KEY_LENGTH]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
