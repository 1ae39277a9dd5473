"""The energy in a report of optimum-benchmark: of a repetition, and of each request and token.

CodeCarbon measured it, in kWh, memory included in the total.
"""

from __future__ import annotations

from llem.api.importers import ImportHints
from llem_importers.figures import J_PER_KWH, Data, number, part, ratio, scaled

PHASES = ("prefill", "decode")


def energy_of(report: Data, work: ImportHints) -> dict[str, float | None]:
    """Return the energy of a repetition, and of each request and token."""
    prefill_j, decode_j, call_j = (_joules(report, target) for target in (*PHASES, "generate"))
    if call_j is None and prefill_j is not None and decode_j is not None:
        call_j = prefill_j + decode_j
    requests, prompt, output = work.requests, work.input_tokens, work.output_tokens
    # Prefill generates the first token of each request.
    decoded = requests and output and requests * (output - 1)
    return {
        "gross_j": call_j,
        "j_per_request": ratio(call_j, requests),
        "j_per_output_token": ratio(call_j, requests, output),
        "j_per_prefill_token": ratio(
            prefill_j, (requests and prompt and requests * prompt) or _tokens(report, "prefill")
        ),
        "j_per_decode_token": ratio(decode_j, decoded or _tokens(report, "decode")),
    }


def _tokens(report: Data, target: str) -> float | None:
    """Return the tokens of a target's mean call, as its throughput or efficiency counts them."""
    throughput, latency = part(report, target, "throughput"), part(report, target, "latency")
    rate, duration_s = number(throughput.get("value")), number(latency.get("mean"))
    if throughput.get("unit") == "tokens/s" and rate and duration_s:
        return rate * duration_s
    efficiency, energy_j = part(report, target, "efficiency"), _joules(report, target)
    if efficiency.get("unit") != "tokens/kWh" or energy_j is None:
        return None
    return scaled(efficiency.get("value"), energy_j / J_PER_KWH)


def _joules(report: Data, target: str) -> float | None:
    """Return the mean energy of a call."""
    energy = part(report, target, "energy")
    return scaled(energy.get("total"), J_PER_KWH) if energy.get("unit") == "kWh" else None
