"""A group of commands that imports a command only when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class LazyCommand(NamedTuple):
    """Where a command is, and what the group's help says about it."""

    module: str
    attribute: str
    summary: str


class LazyGroup(click.Group):
    """A group whose help needs none of its commands.

    Args:
        lazy_commands: The commands by name, in the order in which help lists them.
        options: What else a group of commands takes.
    """

    def __init__(self, *, lazy_commands: Mapping[str, LazyCommand], **options: Any) -> None:
        super().__init__(**options)
        self._lazy_commands = lazy_commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self._lazy_commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, if there is one of that name."""
        if cmd_name not in self._lazy_commands:
            return None
        place = self._lazy_commands[cmd_name]
        command: click.Command = getattr(import_module(place.module), place.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table's summaries, so that nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, lazy_command.summary) for name, lazy_command in self._lazy_commands.items()]
            )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
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
