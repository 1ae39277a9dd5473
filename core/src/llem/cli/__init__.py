"""The command line: thin commands, each imported only when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from llem.cli.error_output import exit_code_help
from llem.version import __version__


class LazyCommand(NamedTuple):
    """The place of a command, and its line in the group's help."""

    module: str
    attribute: str
    summary: str


class LazyGroup(click.Group):
    """A group that imports a command when it is called; its help imports none.

    Args:
        lazy_commands: The commands by name, in the order of the help.
        options: Further arguments of a group of commands.
    """

    def __init__(self, *, lazy_commands: Mapping[str, LazyCommand], **options: Any) -> None:
        super().__init__(**options)
        self._lazy_commands = lazy_commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self._lazy_commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; ``None`` for an unknown name."""
        if cmd_name not in self._lazy_commands:
            return None
        place = self._lazy_commands[cmd_name]
        command: click.Command = getattr(import_module(place.module), place.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table's summaries, so that nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.summary) for name, command in self._lazy_commands.items()]
            )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest a similar name."""
        name = args[0]
        if name not in self._lazy_commands and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, self._lazy_commands, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command and turn its errors into messages and exit codes."""
        # Imported here, because help does without it.
        from llem.cli.error_output import failures_reported

        with failures_reported(as_json="--json" in ctx.args):
            return super().invoke(ctx)


_SUMMARIES = {
    ("run", "run"): "Measure an experiment or a study.",
    ("studies", "plan"): "Show what a study would run.",
    ("meter", "meter"): "Measure any command, or watch the power.",
    ("studies", "studies"): "List studies and their progress.",
    ("compare", "compare"): "Compare outcomes: the difference, and how sure it is.",
    ("results", "results"): "List, show, export and import outcomes.",
    ("report", "report"): "Write a report of a study as a web page.",
    ("check", "check"): "Validate an experiment or a study.",
    ("explain", "explain"): "Print the engine calls of a run.",
    ("listings", "capabilities"): "List what each backend can do.",
    ("listings", "params"): "List the parameters of an experiment.",
    ("listings", "audit"): "Compare an engine's parameters with those llem knows.",
    ("plugins", "plugins"): "List, check and create plugins.",
    ("listings", "meters"): "List the meters, and which of them work here.",
    ("listings", "shapes"): "List the embedded model shapes.",
    ("listings", "schema"): "Print the JSON schema of an experiment.",
    ("listings", "doctor"): "Check this environment.",
}
"""The line of each command in the help, by module and function."""

_COMMANDS = {
    function: LazyCommand(f"{__name__}.{module}", function, summary)
    for (module, function), summary in _SUMMARIES.items()
}


@click.group(cls=LazyGroup, lazy_commands=_COMMANDS, name="llem", epilog=exit_code_help())
@click.version_option(__version__, message="llem %(version)s")
def main() -> None:
    """Measure what LLM inference costs: energy, time, memory and arithmetic."""
