"""``llem meter``: measure any command, or watch the power."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from llem.cli.error_output import stop_on_signals
from llem.report.formatting import number

if TYPE_CHECKING:
    from llem.run.metering import LivePower


def show_power(pictures: Iterator[Sequence[LivePower]]) -> None:
    """Show each picture of the power until the last, or until the user presses Ctrl-C."""
    console = Console(highlight=False)
    try:
        if console.is_terminal:
            with Live(console=console, auto_refresh=False) as live:
                for rows in pictures:
                    live.update(_table(rows), refresh=True)
            return
        for rows in pictures:
            cells = (f"{row.device} {row.domain} {number(row.power_w)} W" for row in rows)
            console.print("; ".join(cells), soft_wrap=True)
    except KeyboardInterrupt:
        return


def _table(rows: Sequence[LivePower]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), caption="Ctrl-C ends", caption_justify="left")
    for name in ("device", "domain", "meter"):
        table.add_column(name)
    table.add_column("power", justify="right")
    table.add_column("energy so far", justify="right")
    for row in rows:
        domain = f"{row.domain} (not added)" if row.contained else row.domain
        power, energy = f"{number(row.power_w)} W", f"{number(row.energy_j)} J"
        table.add_row(row.device, domain, row.meter, power, energy)
    return table


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1)
@click.option("--meters", metavar="NAMES", help="Meters to use, such as nvml,rapl.  [default: all]")
@click.option(
    "--idle",
    "idle_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0, max=3600),
    default=0.0,
    help="Meter the idle machine first, and also print the energy above idle.",
)
@click.option("--period", "period_s", metavar="SECONDS", type=float, help="Time between readings.")
@click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set a key of the measurement section, such as measurement.cpu_tdp_w=65.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON on stdout, last.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.File("w", lazy=False),
    help="Write the JSON document to FILE.",
)
@click.option(
    "--csv",
    "samples",
    metavar="FILE",
    type=click.File("w", lazy=False),
    help="Write every reading to FILE.",
)
@click.option("--watch", is_flag=True, help="Show live power until Ctrl-C, without a command.")
def meter(
    command: tuple[str, ...],
    meters: str | None,
    idle_s: float,
    period_s: float | None,
    overrides: tuple[str, ...],
    as_json: bool,
    output: TextIO | None,
    samples: TextIO | None,
    watch: bool,
) -> None:
    """Run COMMAND and print the energy that the machine used while it ran.

    All options after COMMAND belong to it. Its streams stay untouched: the table goes to stderr.
    llem ends with the command's exit code.
    """
    from llem.config.load import load_measurement
    from llem.registry import Registry

    if watch == bool(command):
        raise click.UsageError("Give a command to measure, or --watch.")
    names = [name.strip() for name in meters.split(",")] if meters else []
    measurement = load_measurement(overrides, meters=names, sample_period_s=period_s)
    registry = Registry.discover()
    if watch:
        from llem.run.metering import watch as pictures

        show_power(pictures(registry, measurement))
        return
    from llem.report.outcome_table import command_table
    from llem.results.series_files import write_samples
    from llem.run.measure_command import measure_command

    stop_on_signals()  # while the command runs, the command gets the signal
    outcome, series = measure_command(
        command, registry, measurement, idle_s=idle_s, say=lambda text: click.echo(text, err=True)
    )
    if samples is not None:
        write_samples(samples, series)
    if output is not None:
        output.write(outcome.model_dump_json(indent=2) + "\n")
    if as_json:
        click.echo(outcome.model_dump_json())
    else:
        Console(stderr=True, highlight=False).print(command_table(outcome))
    sys.exit(outcome.exit_code)
