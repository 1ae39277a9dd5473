"""The options that say which experiment is meant, alike for every command that takes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def experiment_options(
    *, required: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add FILE, ``--backend``, ``--model`` and ``--set`` to a command.

    It is passed ``file: Path | None``, ``backend: str | None``, ``model: str | None`` and
    ``overrides: tuple[str, ...]``, as :func:`llem.config.load_experiment` takes them.

    Args:
        required: Whether there must be a FILE.
    """
    options = (
        # Whether it can be read is for the config room to say, which knows how to say it.
        click.argument("file", required=required, type=click.Path(path_type=Path)),
        click.option("--backend", metavar="NAME", help="Backend to use instead of the file's."),
        click.option("--model", metavar="ID", help="Model to use instead of the file's."),
        click.option(
            "--set",
            "overrides",
            metavar="KEY=VALUE",
            multiple=True,
            help="Set one value, such as workload.requests=8. May be repeated.",
        ),
    )

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add
