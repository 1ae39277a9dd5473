"""One outcome as a table in the terminal: of an experiment, or of a measured command."""

from __future__ import annotations

import shlex

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from llem.report.formatting import joules, number, with_prefix
from llem.report.metrics import METRICS, gain_ratio
from llem.schema.energy import DeviceEnergy, Energy, PhaseEnergy
from llem.schema.outcome import CommandOutcome, Imported, Outcome, Quantiles, Verdict


def outcome_table(outcome: Outcome) -> RenderableType:
    """Return the figures of ``outcome``, its warnings and its verdict."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for name, value, note in rows(outcome):
        table.add_row(name, value, note)
    return Group(_title(outcome), table, *_remarks(outcome), verdict_text(outcome.verdict))


def rows(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Return name, value and note of each figure; the value is ``-`` if it is unavailable."""
    if outcome.imported is not None:
        return _imported(outcome.imported)
    result: list[tuple[str, str, str]] = []
    tokens, throughput, latency = outcome.tokens, outcome.throughput, outcome.latency
    if tokens and throughput:
        result += [
            ("output tokens/s", number(throughput.output_tokens_per_s), _interval(outcome)),
            ("total tokens/s", number(throughput.total_tokens_per_s), "prompt and output"),
            ("requests/s", number(throughput.requests_per_s), ""),
            (
                "output tokens",
                f"{tokens.output_tokens:,}",
                f"excluding {tokens.padding_tokens:,} padding tokens",
            ),
        ]
    if latency:
        result += [
            ("time to first token", *_latency(latency.ttft_s)),
            ("inter-token latency", *_latency(latency.itl_s)),
            ("end-to-end latency", *_latency(latency.e2e_s)),
        ]
    if outcome.energy:
        result += _energy(outcome.energy)
    if compute := outcome.compute:
        note = "" if compute.mfu_ratio is None else f"{compute.mfu_ratio:.1%} of peak"
        result.append(("arithmetic", with_prefix(compute.flops_per_s, "FLOP/s"), note))
    if memory := outcome.memory:
        result.append(("peak host memory", with_prefix(memory.host_peak_rss_bytes, "B"), ""))
        if memory.device_peak_bytes is not None:
            result.append(("peak device memory", with_prefix(memory.device_peak_bytes, "B"), ""))
    if outcome.overhead and outcome.overhead.cpu_ratio is not None:
        note = "of one core, inside the windows"
        result.append(("llem's own CPU time", f"{outcome.overhead.cpu_ratio:.2%}", note))
    return result


def _imported(imported: Imported) -> list[tuple[str, str, str]]:
    """Return every figure of another tool, also those for which llem has no metric."""
    rows = []
    for name, value in imported.metrics.items():
        known = METRICS.get(name)
        label, unit = (known.label, known.unit) if known else (name, "")
        rows.append((label, f"{number(value)} {unit}".rstrip(), f"imported from {imported.tool}"))
    return rows


def _energy(energy: Energy) -> list[tuple[str, str, str]]:
    if energy.gross_j is None:
        return [("energy", "-", "unavailable: no meter works here, see `llem meters`")]
    sources = sorted({row.meter for row in energy.devices})
    note = f"{energy.provenance} by {', '.join(sources)}"
    gross = joules(energy.gross_j, energy.uncertainty_j, energy.gain_uncertainty_j)
    return [
        ("energy, gross", gross, note),
        (
            "energy, net",
            f"{number(energy.net_j)} J",
            f"above {energy.idle_basis or 'unknown'} idle",
        ),
        ("energy per output token", f"{number(energy.j_per_output_token)} J", "gross"),
        ("energy per request", f"{number(energy.j_per_request)} J", "gross"),
        *(_phases(energy.phases, gain_ratio(energy)) if energy.phases else ()),
    ]


def _phases(phases: PhaseEnergy, gain_ratio: float) -> list[tuple[str, str, str]]:
    """Return a row for each phase whose energy is known."""
    parts = (
        ("prefill", phases.prefill_j, phases.prefill_uncertainty_j, phases.j_per_prefill_token),
        ("decode", phases.decode_j, phases.decode_uncertainty_j, phases.j_per_decode_token),
    )
    return [
        (
            f"energy, {name}",
            joules(energy_j, uncertainty_j, gain_ratio * energy_j),
            "gross" if per_token_j is None else f"gross; {number(per_token_j)} J per {name} token",
        )
        for name, energy_j, uncertainty_j, per_token_j in parts
        if energy_j is not None
    ]


def _title(outcome: Outcome) -> Text:
    model, environment = outcome.experiment["model"]["id"], outcome.environment
    engine = (
        f"{environment.engine} {environment.engine_version}" if environment.engine else "not opened"
    )
    devices = ", ".join(environment.devices) or environment.cpu or "unknown device"
    backend = outcome.experiment["backend"]
    return Text(f"{model} on {backend} ({engine}), {devices}", style="bold cyan")


def _remarks(outcome: Outcome) -> list[Text]:
    lines = [Text(f"note: {warning.message}", style="yellow") for warning in outcome.warnings]
    if outcome.failure is not None:
        failure = outcome.failure
        lines.append(Text(f"failed in {failure.phase}: {failure.message}", style="red"))
        if failure.hint:
            lines.append(Text(f"hint: {failure.hint}"))
    return lines


def verdict_text(verdict: Verdict) -> Text:
    """Return whether the outcome is valid, and every reason why not."""
    if verdict.valid:
        return Text("verdict: valid", style="bold green")
    text = Text("verdict: not valid", style="bold red")
    for reason in verdict.reasons:
        text.append(f"\n  {reason.code}: {reason.message}", style="red")
    return text


def _interval(outcome: Outcome) -> str:
    assert outcome.throughput is not None
    spread = outcome.throughput.output_tokens_per_s_spread
    if spread.ci95_low is None or spread.ci95_high is None:
        return f"{spread.n} repetition"
    return f"95 % in {number(spread.ci95_low)} … {number(spread.ci95_high)}, {spread.n} repetitions"


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
        table.add_row(*_cells(row), style=None if row.counted_in_total else "dim")
    notes = [Text(f"note: {warning.message}", style="yellow") for warning in outcome.warnings]
    return Group(
        _command_title(outcome), table, *_totals(outcome), *notes, verdict_text(outcome.verdict)
    )


def _cells(row: DeviceEnergy) -> tuple[str, ...]:
    domain = row.domain if row.counted_in_total else f"{row.domain} (contained)"
    energy = joules(row.gross_j, row.uncertainty_j, row.gain_uncertainty_j)
    return row.device, domain, row.meter, row.method, energy, f"{number(row.mean_w)} W"


def _command_title(outcome: CommandOutcome) -> Text:
    command = shlex.join(outcome.command)
    seconds = f"{outcome.window.duration_s:.3f} s"
    return Text(f"{command}: exit code {outcome.exit_code} after {seconds}", style="bold cyan")


def _totals(outcome: CommandOutcome) -> list[Text]:
    energy, power = outcome.energy, outcome.power
    if energy.gross_j is None:
        return [Text("total: unavailable", style="bold")]
    gross = joules(energy.gross_j, energy.uncertainty_j, energy.gain_uncertainty_j)
    total = f"total {gross}, mean {number(power.mean_w)} W"
    total += (
        f", peak {number(power.peak_w)} W over {power.peak_window_s:.3g} s, {energy.provenance}"
    )
    lines = [Text(total, style="bold")]
    if energy.net_j is not None and energy.bare_idle is not None:
        idle = f"{number(energy.idle_j)} J at {number(energy.bare_idle.power_w)} W idle"
        lines.append(Text(f"net {number(energy.net_j)} J above {idle}", style="bold"))
    ratio = outcome.overhead.cpu_ratio
    if ratio is not None:
        lines.append(Text(f"llem itself used {ratio:.2%} of one core", style="dim"))
    return lines
