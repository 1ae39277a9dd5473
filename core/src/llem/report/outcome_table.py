"""One outcome as a table in the terminal: of an experiment, or of a measured command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from llem.errors import counted
from llem.report.formatting import joules, number, with_prefix
from llem.report.metrics import METRICS, gain_ratio
from llem.schema.energy import DeviceEnergy, Energy, PhaseEnergy
from llem.schema.outcome import (
    CommandOutcome,
    Failure,
    Imported,
    Outcome,
    Quantiles,
    Reason,
    Spread,
    Verdict,
)

Row = tuple[str, str, str]
"""Name, value and note of a figure."""


def outcome_table(outcome: Outcome) -> RenderableType:
    """Return the figures of ``outcome``, its warnings and its verdict."""
    columns = (Column(style="bold"), Column(justify="right"), Column(style="dim"))
    table = Table.grid(*columns, padding=(0, 2, 0, 0))
    for row in rows(outcome):
        table.add_row(*row)
    return Group(
        _title(outcome),
        table,
        *_notes(outcome.warnings),
        *_failure(outcome.failure),
        verdict_text(outcome.verdict),
    )


def rows(outcome: Outcome) -> Iterator[Row]:
    """Yield each figure; its value is ``-`` if it is unavailable."""
    if outcome.imported:
        yield from _imported(outcome.imported)
    if (tokens := outcome.tokens) and (throughput := outcome.throughput):
        speed = number(throughput.output_tokens_per_s)
        yield "output tokens/s", speed, _interval(throughput.output_tokens_per_s_spread)
        yield "total tokens/s", number(throughput.total_tokens_per_s), "prompt and output"
        yield "requests/s", number(throughput.requests_per_s), ""
        note = f"excluding {counted(tokens.padding_tokens, 'padding token')}"
        yield "output tokens", f"{tokens.output_tokens:,}", note
    if latency := outcome.latency:
        yield "time to first token", *_latency(latency.ttft_s)
        yield "inter-token latency", *_latency(latency.itl_s)
        yield "end-to-end latency", *_latency(latency.e2e_s)
    if outcome.energy:
        yield from _energy(outcome.energy)
    if compute := outcome.compute:
        share = "" if compute.mfu_ratio is None else f"{compute.mfu_ratio:.1%} of peak"
        note = "; ".join(filter(None, (share, compute.note)))
        yield "arithmetic", with_prefix(compute.flops_per_s, "FLOP/s"), note
    if memory := outcome.memory:
        loading = with_prefix(memory.host_load_peak_rss_bytes, "B")
        note = "" if memory.host_load_peak_rss_bytes is None else f"{loading} while loading"
        yield "peak host memory", with_prefix(memory.host_peak_rss_bytes, "B"), note
        if memory.device_peak_bytes is not None:
            yield "peak device memory", with_prefix(memory.device_peak_bytes, "B"), ""
    if outcome.overhead and (ratio := outcome.overhead.cpu_ratio) is not None:
        yield "llem's own CPU time", f"{ratio:.2%}", "of one core, inside the windows"


def _imported(imported: Imported) -> Iterator[Row]:
    """Yield every figure of another tool, also those for which llem has no metric."""
    for name, value in imported.metrics.items():
        known = METRICS.get(name)
        label, unit = (known.label, known.unit) if known else (name, _unit(name))
        yield label, f"{number(value)} {unit}".rstrip(), f"imported from {imported.tool}"
    if imported.energy_boundary:
        yield "energy covers", "", imported.energy_boundary


_UNITS = {"per_s": "1/s", "s": "s", "j": "J", "w": "W", "kg": "kg"}
_UNIT_IN_NAME = re.compile(rf"_({'|'.join(_UNITS)})(_p\d+|_mean|_max)?$")


def _unit(name: str) -> str:
    """Return the unit that the name of another tool's figure carries."""
    match = _UNIT_IN_NAME.search(name)
    return _UNITS[match[1]] if match else ""


def _energy(energy: Energy) -> Iterator[Row]:
    if energy.gross_j is None:
        why = "see the verdict" if energy.devices else "no meter works here, see `llem meters`"
        yield "energy", "-", f"unavailable: {why}"
        return
    meters = sorted({row.meter for row in energy.devices})
    yield "energy, gross", _gross(energy), f"{energy.provenance} by {', '.join(meters)}"
    basis = energy.idle_basis or "unknown"
    yield "energy, net", f"{number(energy.net_j)} J", f"above {basis} idle"
    yield "energy per output token", f"{number(energy.j_per_output_token)} J", "gross"
    yield "energy per request", f"{number(energy.j_per_request)} J", "gross"
    if energy.phases:
        yield from _phases(energy.phases, gain_ratio(energy))


def _phases(phases: PhaseEnergy, gain_ratio: float) -> Iterator[Row]:
    """Yield a row for each phase whose energy is known."""
    parts = (
        ("prefill", phases.prefill_j, phases.prefill_uncertainty_j, phases.j_per_prefill_token),
        ("decode", phases.decode_j, phases.decode_uncertainty_j, phases.j_per_decode_token),
    )
    for name, energy_j, uncertainty_j, per_token_j in parts:
        if energy_j is not None:
            per_token = "" if per_token_j is None else f"; {number(per_token_j)} J per {name} token"
            energy = joules(energy_j, uncertainty_j, gain_ratio * energy_j)
            yield f"energy, {name}", energy, f"gross{per_token}"


def _gross(row: Energy | DeviceEnergy) -> str:
    return joules(row.gross_j, row.uncertainty_j, row.gain_uncertainty_j)


def _title(outcome: Outcome) -> Text:
    model, environment = outcome.experiment["model"]["id"], outcome.environment
    if outcome.imported is not None:
        gpus = [str(gpu.get("name")) for gpu in environment.gpus]
        parts = (model, environment.engine, ", ".join(gpus) or environment.cpu)
        return Text(", ".join(filter(None, parts)), style="bold cyan")
    engine = (
        f"{environment.engine} {environment.engine_version}" if environment.engine else "not opened"
    )
    devices = ", ".join(environment.devices) or environment.cpu or "unknown device"
    backend = outcome.experiment["backend"]
    return Text(f"{model} on {backend} ({engine}), {devices}", style="bold cyan")


def _notes(warnings: Iterable[Reason]) -> Iterator[Text]:
    for warning in warnings:
        yield Text(f"note: {warning.message}", style="yellow")


def _failure(failure: Failure | None) -> Iterator[Text]:
    if failure is not None:
        yield Text(f"failed in {failure.phase}: {failure.message}", style="red")
        if failure.hint:
            yield Text(f"hint: {failure.hint}")


def verdict_text(verdict: Verdict) -> Text:
    """Return whether the outcome is valid, and every reason why not."""
    if verdict.valid:
        return Text("verdict: valid", style="bold green")
    text = Text("verdict: not valid", style="bold red")
    for reason in verdict.reasons:
        text.append(f"\n  {reason.code}: {reason.message}", style="red")
    return text


def _interval(spread: Spread) -> str:
    if spread.ci95_low is None or spread.ci95_high is None:
        return counted(spread.n, "repetition")
    interval = f"95 % in {number(spread.ci95_low)} … {number(spread.ci95_high)}"
    return f"{interval}, {counted(spread.n, 'repetition')}"


def _latency(quantiles: Quantiles | None) -> tuple[str, str]:
    if quantiles is None:
        return "-", "unavailable"
    return f"{1000 * quantiles.p50:.2f} ms", f"median; p99 {1000 * quantiles.p99:.2f} ms"


def command_table(outcome: CommandOutcome) -> RenderableType:
    """Return the figures of ``outcome`` and its verdict."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("device", "domain", "meter", "method"):
        table.add_column(name, overflow="fold")
    table.add_column("energy", justify="right")
    table.add_column("mean power", justify="right")
    for row in outcome.energy.devices:
        domain = row.domain if row.counted_in_total else f"{row.domain} (not added)"
        cells = (row.device, domain, row.meter, row.method, _gross(row), f"{number(row.mean_w)} W")
        table.add_row(*cells, style=None if row.counted_in_total else "dim")
    command, seconds = shlex.join(outcome.command), f"{outcome.window.duration_s:.3f} s"
    return Group(
        Text(f"{command}: exit code {outcome.exit_code} after {seconds}", style="bold cyan"),
        table,
        *_totals(outcome),
        *_notes(outcome.warnings),
        verdict_text(outcome.verdict),
    )


def _totals(outcome: CommandOutcome) -> Iterator[Text]:
    energy, power, ratio = outcome.energy, outcome.power, outcome.overhead.cpu_ratio
    if energy.gross_j is None:
        yield Text("total: unavailable", style="bold")
        return
    peak = f"peak {number(power.peak_w)} W over {power.peak_window_s:.3g} s"
    total = f"total {_gross(energy)}, mean {number(power.mean_w)} W, {peak}, {energy.provenance}"
    yield Text(total, style="bold")
    if energy.net_j is not None and energy.bare_idle is not None:
        idle = f"{number(energy.idle_j)} J at {number(energy.bare_idle.power_w)} W idle"
        yield Text(f"net {number(energy.net_j)} J above {idle}", style="bold")
    if ratio is not None:
        yield Text(f"llem itself used {ratio:.2%} of one core", style="dim")
