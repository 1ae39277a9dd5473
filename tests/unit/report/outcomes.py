"""Outcomes made from figures that a test chooses."""

from __future__ import annotations

import json
import math
from pathlib import Path

from llem.report.load_outcomes import StoredOutcome
from llem.schema.outcome import Outcome

ENVIRONMENT = {
    "llem_version": "0", "started_at": "2026-01-01T00:00:00+00:00", "system": "Linux",
    "cpu": "A processor", "logical_cores": 2, "memory_bytes": 1, "devices": ["cpu"],
    "engine": "engine", "engine_version": "1.0",
}  # fmt: skip
QUANTILES = {"p50": 0.5, "p90": 0.7, "p95": 0.8, "p99": 0.9, "mean": 0.55}


def spread(values):
    mean = math.fsum(values) / len(values)
    return {"mean": mean, "std": None, "ci95_low": None, "ci95_high": None, "n": len(values)}


def document(
    id="x",
    joules=(10.0, 10.2, 9.9),
    *,
    tokens=100,
    requests=10,
    durations_s=None,
    gain=0.0,
    device="cpu",
    reasons=(),
    place=None,
    environment=None,
    input_hash="abc",
    effective=None,
    idle_w=1.0,
    **settings,
):
    """Return an outcome as JSON data; each of ``joules`` is the energy of one repetition.

    ``settings`` are parameters of the experiment, ``a__b=1`` for ``a.b``.
    """
    experiment = {"backend": "some", "model": {"id": "shape:tiny"}, "name": None}
    for name, value in settings.items():
        *sections, key = name.split("__")
        inner = experiment
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[key] = value
    n = len(joules)
    durations_s = durations_s or [1.0] * n
    total_s, gross_j = sum(durations_s), math.fsum(joules)
    idle_j = idle_w * total_s
    energy = {
        "provenance": "measured", "gross_j": gross_j, "idle_j": idle_j, "net_j": gross_j - idle_j,
        "uncertainty_j": 0.1, "gain_uncertainty_j": gain * gross_j, "net_uncertainty_j": 0.1,
        "j_per_output_token": gross_j / (n * tokens), "uncertainty_j_per_output_token": None,
        "j_per_request": gross_j / (n * requests), "uncertainty_j_per_request": None,
        "net_j_per_output_token": (gross_j - idle_j) / (n * tokens),
        "net_j_per_request": (gross_j - idle_j) / (n * requests),
        "mean_w": gross_j / total_s, "idle_basis": "bare",
        "devices": [
            {
                "device": device, "domain": "package", "meter": "rapl", "method": "counter",
                "provenance": "measured", "gross_j": gross_j, "idle_w": idle_w,
                "net_j": gross_j - idle_j, "uncertainty_j": 0.1,
                "gain_uncertainty_j": gain * gross_j, "net_uncertainty_j": 0.1,
                "mean_w": gross_j / total_s, "counted_in_total": True,
            }
        ],
    }  # fmt: skip
    start_s, repetitions = 100.0, []
    for joule, duration_s in zip(joules, durations_s, strict=True):
        repetitions.append(
            {
                "start_monotonic_s": start_s, "duration_s": duration_s, "input_tokens": 50,
                "output_tokens": tokens, "output_tokens_per_s": tokens / duration_s,
                "gross_j": joule,
            }
        )  # fmt: skip
        start_s += duration_s + 0.1
    return {
        "id": id,
        "experiment_sha256": "0",
        "status": "done",
        "verdict": {"valid": not reasons, "reasons": [{"code": c, "message": c} for c in reasons]},
        "experiment": experiment,
        "plan": {},
        "effective": effective or {},
        "environment": ENVIRONMENT | {"devices": [device]} | (environment or {}),
        "study": place,
        "workload": {
            "requests": requests, "input_ids_sha256": input_hash, "ignore_eos": True,
        },
        "tokens": {
            "input_tokens": 50 * n, "output_tokens": tokens * n, "padding_tokens": 0,
            "padding_input_tokens": 0, "padding_output_tokens": 0,
        },
        "timing": {"duration_s": total_s, "repetitions": repetitions},
        "throughput": {
            "output_tokens_per_s": n * tokens / total_s,
            "total_tokens_per_s": n * (tokens + 50) / total_s,
            "requests_per_s": n * requests / total_s,
            "output_tokens_per_s_spread": spread([tokens / d for d in durations_s]),
        },
        "latency": {"ttft_s": QUANTILES, "itl_s": QUANTILES, "e2e_s": QUANTILES},
        "energy": energy,
    }  # fmt: skip


def place(block, *, study="s", position=0, points=({},)):
    """Return where a run stands in its study."""
    return {
        "name": study, "run_id": "r", "repeat": block, "block": block, "position": position,
        "points": list(points),
    }  # fmt: skip


def stored(*arguments, **options):
    """Return such an outcome as if it had been read from a folder of its name."""
    made = document(*arguments, **options)
    return StoredOutcome(Path(made["id"]), Outcome.model_validate(made))


def write(folder, *arguments, **options):
    """Write such an outcome into ``folder``, and return its own folder."""
    made = Outcome.model_validate(document(*arguments, **options))
    path = folder / made.id
    path.mkdir(parents=True)
    (path / "outcome.json").write_text(json.dumps(made.model_dump(mode="json")))
    return path
