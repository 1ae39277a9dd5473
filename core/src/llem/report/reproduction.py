"""What it takes to measure the same again: config, command, versions."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from llem.report.varied_parameters import canonical
from llem.schema.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one experiment is run again.

    Attributes:
        ids: Outcomes that it made.
        config: The validated experiment as YAML.
        command: What to type once it is in a file.
        versions: Distributions and their versions.
    """

    ids: tuple[str, ...]
    config: str
    command: str
    versions: tuple[tuple[str, str], ...]


MOST_RECIPES = 40
"""More experiments than this have their configs in the outcomes alone."""


def reproduction(outcomes: Sequence[Outcome]) -> list[Recipe]:
    """Return a recipe for each experiment; runs of one experiment share it.

    What another tool measured has none: its settings are not a config of llem's.
    """
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.imported is not None:
            continue
        groups.setdefault(canonical(outcome.experiment), []).append(outcome)
    return [_recipe(group) for group in list(groups.values())[:MOST_RECIPES]]


def _recipe(group: Sequence[Outcome]) -> Recipe:
    first = group[0]
    command = shlex.join(["llem", "run", f"{first.experiment.get('name') or 'experiment'}.yaml"])
    environment = first.environment
    versions = {"llem-core": environment.llem_version, **environment.versions}
    return Recipe(
        ids=tuple(one.id for one in group),
        config=yaml.safe_dump(_set(first.experiment), sort_keys=False, allow_unicode=True),
        command=command,
        versions=tuple(versions.items()),
    )


def _set(value: Any) -> Any:
    """Return ``value`` without what is unset: unset and left out mean the same."""
    if not isinstance(value, dict):
        return value
    kept = {key: _set(inner) for key, inner in value.items() if inner is not None}
    return {key: inner for key, inner in kept.items() if inner != {}}
