"""The outcome of the run of states.py, figure by figure as computed by hand; and how to compare."""

from __future__ import annotations

import math
import statistics
from typing import Any

from llem import __version__
from llem.run.build_outcome import build_outcome
from llem.run.run_state import RunState

from .states import (
    H100,
)

MISSING, ANY = "missing", "anything"
GIVEN = ("experiment", "plan.", "model")
"""Parts that only repeat what the run was given."""

T_975_OF_2 = 4.302652729749464  # Student's t, from a textbook's table to more digits
T_975_OF_1 = 12.706204736174698


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return every leaf of a document by its dotted path; empty containers are leaves."""
    if isinstance(value, dict) and value:
        parts = ((f"{path}.{key}" if path else key, item) for key, item in value.items())
    elif isinstance(value, list) and value:
        parts = ((f"{path}.{at}", item) for at, item in enumerate(value))
    else:
        return {path: value}
    return {name: leaf for part, item in parts for name, leaf in flat(item, part).items()}


def leaves(state: RunState) -> dict[str, Any]:
    """Return the leaves of a run's outcome, without what only the clock decides."""
    document = build_outcome(state, id="an-id", log_tail="the log").model_dump(mode="json")
    found = flat(document)
    del found["timing.total_s"]
    return found


FLOPS_OF = {
    # A prompt of p and an output of n tokens: with c = p + n - 1 positions,
    # 2·2·(192 + 384)·c for the body, 2·8·10·n for the output projection,
    # 4·2·2·4 for each of c(c + 1)/2 pairs of positions.
    (5, 4): 2304 * 8 + 160 * 4 + 64 * 36,
    (3, 2): 2304 * 4 + 160 * 2 + 64 * 10,
    (5, 3): 2304 * 7 + 160 * 3 + 64 * 28,
    (3, 3): 2304 * 5 + 160 * 3 + 64 * 15,
}
FLOPS = 2 * (FLOPS_OF[5, 4] + FLOPS_OF[3, 2]) + FLOPS_OF[5, 3] + FLOPS_OF[3, 3]

# Energy per token of the repetitions: 200 J / 6, 200 J / 6, 300 J / 6. Its standard error of the
# mean is s/√3; as a share of the mean it widens the energy per token and per request alike.
RATIOS = [200 / 6, 200 / 6, 300 / 6]
ERROR_RATIO = statistics.stdev(RATIOS) / math.sqrt(3) / statistics.mean(RATIOS)

# Seconds a token of each repetition: 2/6, 2/6, 3/6.
SLOWNESS = [2 / 6, 2 / 6, 3 / 6]
SLOWNESS_HALF = T_975_OF_2 * statistics.stdev(SLOWNESS) / math.sqrt(3)

EXPECTED = {
    "schema_version": 3,
    "id": "an-id",
    "study": None,
    "status": "done",
    "verdict.valid": True,
    "verdict.reasons": [],
    "failure": None,
    "imported": None,
    "warnings": [],
    "effective.load.dtype": "torch.bfloat16",
    "effective.load.heads": 2,
    "effective.settings.batch_size": 2,
    "environment.llem_version": __version__,
    "environment.started_at": "2026-01-02T03:04:05+00:00",
    "environment.system": "Linux 6.1",
    "environment.cpu": "a processor",
    "environment.logical_cores": 16,
    "environment.memory_bytes": 64_000_000_000,
    "environment.gpus.0.uuid": "GPU-a",
    "environment.gpus.0.name": H100,
    "environment.gpus.0.memory_bytes": 80_000_000_000,
    "environment.devices.0": "cuda:GPU-a",
    "environment.python": "3.12.1",
    "environment.engine": "engine",
    "environment.engine_version": "2.0",
    "environment.versions.engine": "2.0",
    "environment.variables": {},
    "workload.requests": 2,
    "workload.input_ids_sha256": "ab" * 32,
    "workload.truncated_requests": 0,
    "workload.own_lengths": 0,
    "workload.chat_template": None,
    "workload.template_time": None,
    "workload.ignore_eos": True,
    "tokens.input_tokens": 3 * (5 + 3),
    "tokens.output_tokens": 3 * 6,
    "tokens.padding_tokens": 10,
    "tokens.padding_input_tokens": 6,
    "tokens.padding_output_tokens": 4,
    "timing.worker_start_s": 1,
    "timing.load_s": 3,
    "timing.prepare_s": 0.25,
    "timing.warmup_s": 0.375,
    "timing.warmup_repetitions": 2,
    "timing.duration_s": 7,
    "timing.repetitions.0.start_monotonic_s": 32,
    "timing.repetitions.0.duration_s": 2,
    "timing.repetitions.0.input_tokens": 8,
    "timing.repetitions.0.output_tokens": 6,
    "timing.repetitions.0.output_tokens_per_s": 3,
    "timing.repetitions.0.gross_j": 200,
    "timing.repetitions.1.start_monotonic_s": 35,
    "timing.repetitions.1.duration_s": 2,
    "timing.repetitions.1.input_tokens": 8,
    "timing.repetitions.1.output_tokens": 6,
    "timing.repetitions.1.output_tokens_per_s": 3,
    "timing.repetitions.1.gross_j": 200,
    "timing.repetitions.2.start_monotonic_s": 38,
    "timing.repetitions.2.duration_s": 3,
    "timing.repetitions.2.input_tokens": 8,
    "timing.repetitions.2.output_tokens": 6,
    "timing.repetitions.2.output_tokens_per_s": 2,
    "timing.repetitions.2.gross_j": 300,
    "timing.stop_reason": "precision",
    "timing.ci_metric": "j_per_output_token",
    "timing.ci_ratio": T_975_OF_2 * ERROR_RATIO,
    "throughput.output_tokens_per_s": 18 / 7,
    "throughput.total_tokens_per_s": 42 / 7,
    "throughput.requests_per_s": 6 / 7,
    "throughput.output_tokens_per_s_spread.mean": 18 / 7,
    "throughput.output_tokens_per_s_spread.std": statistics.stdev(SLOWNESS) * (18 / 7) ** 2,
    "throughput.output_tokens_per_s_spread.ci95_low": 1 / (7 / 18 + SLOWNESS_HALF),
    "throughput.output_tokens_per_s_spread.ci95_high": 1 / (7 / 18 - SLOWNESS_HALF),
    "throughput.output_tokens_per_s_spread.n": 3,
    # all six requests waited half a second
    **{f"latency.ttft_s.{name}": 0.5 for name in ("p50", "p90", "p95", "p99", "mean")},
    # twelve gaps: 0.25 twice, 0.5 eight times, 1.25 twice; ranks from 0 to 11
    "latency.itl_s.p50": 0.5,
    "latency.itl_s.p90": 0.5 + 0.9 * 0.75,
    "latency.itl_s.p95": 1.25,
    "latency.itl_s.p99": 1.25,
    "latency.itl_s.mean": 7 / 12,
    # 1, 1, 1, 2, 2, 3 s; ranks from 0 to 5
    "latency.e2e_s.p50": 1.5,
    "latency.e2e_s.p90": 2.5,
    "latency.e2e_s.p95": 2.75,
    "latency.e2e_s.p99": 2.95,
    "latency.e2e_s.mean": 10 / 6,
    "latency.unavailable": None,
    "energy.provenance": "measured",
    "energy.gross_j": 700,
    "energy.idle_j": 40 * 7,
    "energy.net_j": 60 * 7,
    "energy.uncertainty_j": 0,  # steady power within every window
    "energy.gain_uncertainty_j": 0.05 * 700,
    "energy.net_uncertainty_j": 0,
    "energy.j_per_output_token": 700 / 18,
    "energy.uncertainty_j_per_output_token": ERROR_RATIO * 700 / 18,
    "energy.j_per_request": 700 / 6,
    "energy.uncertainty_j_per_request": ERROR_RATIO * 700 / 6,
    "energy.net_j_per_output_token": 420 / 18,
    "energy.net_j_per_request": 420 / 6,
    "energy.mean_w": 100,
    "energy.idle_basis": "bare",
    "energy.bare_idle.duration_s": 10,
    "energy.bare_idle.power_w": 40,
    "energy.bare_idle.standard_error_w": 0,
    "energy.bare_idle.drift_w": 0,
    "energy.bare_idle.age_s": 0,
    "energy.loaded_idle.duration_s": 5,
    "energy.loaded_idle.power_w": 60,
    "energy.loaded_idle.standard_error_w": 0,
    "energy.loaded_idle.drift_w": 0,
    "energy.loaded_idle.age_s": 0,
    "energy.after_idle.duration_s": 5,
    "energy.after_idle.power_w": 60,
    "energy.after_idle.standard_error_w": 0,
    "energy.after_idle.drift_w": 0,
    "energy.after_idle.age_s": 0,
    # Three times half a second for 24 prompt tokens; then 1.5, 1.5 and 2.5 s for the 12 of 18
    # tokens that are not the first of their request.
    "energy.phases.prefill_s": 1.5,
    "energy.phases.prefill_j": 150,
    "energy.phases.prefill_uncertainty_j": 0,
    "energy.phases.j_per_prefill_token": 150 / 24,
    "energy.phases.decode_s": 5.5,
    "energy.phases.decode_j": 550,
    "energy.phases.decode_uncertainty_j": 0,
    "energy.phases.j_per_decode_token": 550 / 12,
    "energy.phases.mixed_s": 0,
    "energy.phases.unavailable": None,
    "energy.devices.0.device": "cuda:GPU-a",
    "energy.devices.0.domain": "board",
    "energy.devices.0.meter": "meter",
    "energy.devices.0.method": "instantaneous power",
    "energy.devices.0.provenance": "measured",
    "energy.devices.0.gross_j": 700,
    "energy.devices.0.idle_w": 40,
    "energy.devices.0.net_j": 420,
    "energy.devices.0.uncertainty_j": 0,
    "energy.devices.0.gain_uncertainty_j": 35,
    "energy.devices.0.net_uncertainty_j": 0,
    "energy.devices.0.mean_w": 100,
    "energy.devices.0.counted_in_total": True,
    "energy.devices.0.update_period_s": None,
    "energy.devices.0.missed_readings": 0,
    "energy.devices.0.gap_s": 0,
    "energy.devices.0.note": "",
    "energy.conditions": [],
    "compute.flops": FLOPS,
    "compute.flops_per_s": FLOPS / 7,
    "compute.method": "analytic",
    "compute.surplus_flops": 0,
    "compute.mfu_ratio": FLOPS / 7 / 989e12,  # NVIDIA's data sheet: 989 TFLOP/s of bfloat16
    "compute.note": "",
    "memory.host_peak_rss_bytes": 5000,
    "memory.host_load_peak_rss_bytes": 9000,
    "memory.device_peak_bytes": 9000,
    "memory.weights_bytes": 2720,
    "memory.kv_cache_bytes_per_token": 2 * 2 * 1 * 4 * 2,  # K and V, layers, heads, width, bytes
    "memory.other.cache_bytes": 700,
    "counters.steps": 11,
    "counters.evictions": 1,
    "overhead.cpu_s": 0.07,
    "overhead.cpu_ratio": 0.01,
    "log_tail": "the log",
}
"""The finished run's outcome, experiment, plan and model apart."""


def unlike(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Return found and expected leaf where they differ; ``MISSING`` where there is none."""
    return {
        name: (found.get(name, MISSING), expected.get(name, MISSING))
        for name in {**found, **expected}
        if not alike(found.get(name, MISSING), expected.get(name, MISSING))
    }


def alike(found: Any, expected: Any) -> bool:
    """Return whether two leaves are equal, numbers but for rounding."""
    if isinstance(found, float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=0 if expected else 1e-9)
    return expected == ANY or (type(found) is type(expected) and found == expected)


def check_changes(state: RunState, changes: dict[str, Any]) -> None:
    """Assert that the outcome is the finished run's but for ``changes``."""
    found = {name: leaf for name, leaf in leaves(state).items() if not name.startswith(GIVEN)}
    expected = {**EXPECTED, **changes}
    assert (
        unlike(found, {name: leaf for name, leaf in expected.items() if leaf is not MISSING}) == {}
    )


def missing(*prefixes: str) -> dict[str, Any]:
    """Return every expected leaf below ``prefixes`` as missing."""
    below = tuple(f"{prefix}." for prefix in prefixes)
    return {name: MISSING for name in EXPECTED if name.startswith(below)}


def nothing(*prefixes: str) -> dict[str, Any]:
    """Return ``prefixes`` as null, in place of all that was below them."""
    return {**missing(*prefixes), **dict.fromkeys(prefixes)}


def invalid(*reasons: tuple[str, str]) -> dict[str, Any]:
    """Return the leaves of a verdict with these codes and messages."""
    found: dict[str, Any] = {"verdict.valid": False, "verdict.reasons": MISSING}
    for at, (code, message) in enumerate(reasons):
        found |= {f"verdict.reasons.{at}.code": code, f"verdict.reasons.{at}.message": message}
    return found


def warned(*warnings: tuple[str, str]) -> dict[str, Any]:
    """Return the leaves of warnings with these codes and messages."""
    found: dict[str, Any] = {"warnings": MISSING}
    for at, (code, message) in enumerate(warnings):
        found |= {f"warnings.{at}.code": code, f"warnings.{at}.message": message}
    return found


def failed(phase: str, code: str, message: str, hint: str = "") -> dict[str, Any]:
    """Return the leaves of a failure without an exception of the worker."""
    return {
        "failure": MISSING,
        "failure.code": code,
        "failure.phase": phase,
        "failure.message": message,
        "failure.hint": hint,
        "failure.error_type": "",
        "failure.traceback": "",
    }
