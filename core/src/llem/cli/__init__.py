"""The command line: thin commands, each imported only when it is called."""

from __future__ import annotations

import click

from llem.cli.error_output import exit_code_help
from llem.cli.lazy_group import LazyCommand, LazyGroup
from llem.version import __version__

_COMMANDS = {
    "run": LazyCommand("llem.cli.run", "run", "Measure an experiment."),
    "plan": LazyCommand("llem.cli.studies", "plan", "Show what a study would run; run nothing."),
    "meter": LazyCommand("llem.cli.meter", "meter", "Measure any command, or watch the power."),
    "studies": LazyCommand("llem.cli.studies", "studies", "List studies, and how they stand."),
    "compare": LazyCommand(
        "llem.cli.compare", "compare", "Say whether it makes a difference, and how sure that is."
    ),
    "results": LazyCommand("llem.cli.results", "results", "List, show and export outcomes."),
    "report": LazyCommand("llem.cli.report", "report", "Write a study as one page to hand on."),
    "check": LazyCommand("llem.cli.check", "check", "Validate an experiment; run nothing."),
    "explain": LazyCommand("llem.cli.explain", "explain", "Print the engine calls of a run."),
    "capabilities": LazyCommand(
        "llem.cli.listings", "capabilities", "List what each backend can do."
    ),
    "params": LazyCommand("llem.cli.listings", "params", "List every parameter of an experiment."),
    "audit": LazyCommand("llem.cli.listings", "audit", "Look for forgotten engine parameters."),
    "plugins": LazyCommand("llem.cli.plugins", "plugins", "List the installed plugins."),
    "meters": LazyCommand("llem.cli.listings", "meters", "List the meters that work here."),
    "shapes": LazyCommand("llem.cli.listings", "shapes", "List the embedded model shapes."),
    "schema": LazyCommand("llem.cli.listings", "schema", "Print a JSON schema."),
    "doctor": LazyCommand("llem.cli.listings", "doctor", "Check this environment."),
}


@click.group(cls=LazyGroup, lazy_commands=_COMMANDS, name="llem", epilog=exit_code_help())
@click.version_option(__version__, message="llem %(version)s")
def main() -> None:
    """Measure what LLM inference costs: energy, time, memory and arithmetic."""
