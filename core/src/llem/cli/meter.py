"""``llem meter``: measure any command, or watch the power."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Never, TextIO

import click

if TYPE_CHECKING:
    from llem.api.command import CommandOutcome


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1)
@click.option("--meters", metavar="NAMES", help="Meters to use, such as nvml,rapl.  [default: all]")
@click.option(
    "--idle",
    "idle_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0, max=3600),
    default=0.0,
    help="Meter the idle machine first, and print energy above that too.",
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
    """Run COMMAND and say what energy the machine used meanwhile.

    Everything after COMMAND is its own. Its streams are not touched: the table goes to stderr.
    llem ends with the command's exit code.
    """
    from llem.config.measurement import load_measurement
    from llem.registry import Registry

    if watch == bool(command):
        raise click.UsageError("Give a command to measure, or --watch.")
    names = [name.strip() for name in meters.split(",")] if meters else []
    measurement = load_measurement(overrides, meters=names, sample_period_s=period_s)
    registry = Registry.discover()
    if watch:
        from llem.cli.live_power import show_power
        from llem.run.watch import watch as pictures

        show_power(pictures(registry, measurement))
        return
    from llem.run.command import measure_command
    from llem.store.samples import write_samples

    signal.signal(signal.SIGTERM, _interrupt)
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
        _print_table(outcome)
    sys.exit(outcome.exit_code)


def _interrupt(signum: int, frame: FrameType | None) -> Never:
    """Treat a polite request to end like Ctrl-C; while the command runs, it gets the request."""
    raise KeyboardInterrupt


def _print_table(outcome: CommandOutcome) -> None:
    from rich.console import Console

    from llem.report.command_table import command_table

    Console(stderr=True, highlight=False).print(command_table(outcome))
