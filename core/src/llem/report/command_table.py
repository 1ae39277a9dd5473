"""What a command cost, as a table in the terminal."""

from __future__ import annotations

import shlex

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from llem.api.command import CommandOutcome
from llem.api.energy import DeviceEnergy
from llem.report.table import joules, number, verdict_text


def command_table(outcome: CommandOutcome) -> RenderableType:
    """Return the figures of ``outcome`` and its verdict."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("device", "domain", "meter", "method"):
        table.add_column(name, overflow="fold")
    table.add_column("energy", justify="right")
    table.add_column("mean power", justify="right")
    for row in outcome.energy.devices:
        table.add_row(*_cells(row), style=None if row.counted_in_total else "dim")
    notes = [Text(f"note: {one.message}", style="yellow") for one in outcome.warnings]
    return Group(_title(outcome), table, *_totals(outcome), *notes, verdict_text(outcome.verdict))


def _cells(row: DeviceEnergy) -> tuple[str, ...]:
    domain = row.domain if row.counted_in_total else f"{row.domain} (contained)"
    energy = joules(row.gross_j, row.uncertainty_j, row.gain_uncertainty_j)
    return row.id, domain, row.meter, row.method, energy, f"{number(row.mean_w)} W"


def _title(outcome: CommandOutcome) -> Text:
    command = shlex.join(outcome.command)
    seconds = f"{outcome.window.duration_s:.3f} s"
    return Text(f"{command}: exit code {outcome.exit_code} after {seconds}", style="bold cyan")


def _totals(outcome: CommandOutcome) -> list[Text]:
    energy, power = outcome.energy, outcome.power
    if energy.gross_j is None:
        return [Text("total: unavailable", style="bold")]
    gross = joules(energy.gross_j, energy.uncertainty_j, energy.gain_uncertainty_j)
    total = f"total {gross}, mean {number(power.mean_w)} W"
    total += f", peak {number(power.peak_w)} W over {power.peak_over_s:.3g} s, {energy.provenance}"
    lines = [Text(total, style="bold")]
    if energy.net_j is not None and energy.bare_idle is not None:
        idle = f"{number(energy.idle_j)} J at {number(energy.bare_idle.power_w)} W idle"
        lines.append(Text(f"net {number(energy.net_j)} J above {idle}", style="bold"))
    ratio = outcome.self_cost.cpu_ratio
    if ratio is not None:
        lines.append(Text(f"llem itself used {ratio:.2%} of one core", style="dim"))
    return lines
