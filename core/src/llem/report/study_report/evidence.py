"""What a reader checks a report by: effective arguments, arithmetic, and how to run it again."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from llem.report.varied_parameters import canonical, grouped
from llem.schema.call_plan import CallPlan, differences
from llem.schema.outcome import Outcome


@dataclass(frozen=True, slots=True)
class EffectiveArgument:
    """One argument of one engine call, over all outcomes.

    Attributes:
        name: ``<call>.<argument>``, or ``settings.<name>``.
        requested: Each requested value with its number of outcomes; ``None`` is the default.
        effective: Each effective value likewise; ``None`` where it could not be observed.
        differs: Whether the requested value of any outcome is not its effective one.
    """

    name: str
    requested: tuple[tuple[str | None, int], ...]
    effective: tuple[tuple[str | None, int], ...]
    differs: bool


def requested_and_effective(outcomes: Sequence[Outcome]) -> list[EffectiveArgument]:
    """Return every argument that was requested or observed, those that differ first."""
    requested = [
        CallPlan.from_json(outcome.plan).requested() if outcome.plan else {} for outcome in outcomes
    ]
    effective = [outcome.effective for outcome in outcomes]
    differing = {
        name for values in zip(requested, effective, strict=True) for name in differences(*values)
    }
    names = dict.fromkeys(name for values in (*requested, *effective) for name in values)
    arguments = [
        EffectiveArgument(
            name, _counted(requested, name), _counted(effective, name), name in differing
        )
        for name in names
    ]
    return sorted(arguments, key=lambda argument: not argument.differs)


def _counted(tables: Sequence[Mapping[str, Any]], name: str) -> tuple[tuple[str | None, int], ...]:
    values = (canonical(table[name]) if name in table else None for table in tables)
    return tuple(Counter(values).items())


def least_bytes_per_s(outcome: Outcome) -> float | None:
    """Return the least traffic of weights and key/value cache that the work needs per second.

    Every step of generation reads the weights once for all requests together, and each new token
    reads the keys and values of its context. Batches that do not fit together, activations and
    padding add to it. Speculative decoding takes fewer steps.
    """
    memory, tokens, workload = outcome.memory, outcome.tokens, outcome.workload
    duration_s, repetitions = outcome.timing.duration_s, len(outcome.timing.repetitions)
    if memory is None or memory.weights_bytes is None or not duration_s:
        return None
    if tokens is None or workload is None or not workload.requests:
        return None
    steps = tokens.output_tokens / workload.requests
    requests = workload.requests * repetitions
    context_tokens = (tokens.input_tokens + tokens.output_tokens / 2) / requests
    cache_bytes = (memory.kv_cache_bytes_per_token or 0) * context_tokens * tokens.output_tokens
    return (memory.weights_bytes * steps + cache_bytes) / duration_s


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to run one experiment again.

    Attributes:
        ids: Its outcomes.
        config: The validated experiment as YAML.
        command: The command, once the config is in a file.
        versions: Distributions and their versions.
    """

    ids: tuple[str, ...]
    config: str
    command: str
    versions: tuple[tuple[str, str], ...]


MOST_RECIPES = 40
"""Further experiments have their configs only in the outcomes."""


def recipes(outcomes: Sequence[Outcome]) -> list[Recipe]:
    """Return a recipe for each experiment; runs of one experiment share it.

    An imported result has none: its settings are not a config of llem.
    """
    measured = [outcome for outcome in outcomes if outcome.imported is None]
    groups = grouped(measured, lambda outcome: canonical(outcome.experiment))
    return [_recipe(group) for group in list(groups.values())[:MOST_RECIPES]]


def _recipe(group: Sequence[Outcome]) -> Recipe:
    experiment, environment = group[0].experiment, group[0].environment
    versions = {"llem-core": environment.llem_version, **environment.versions}
    return Recipe(
        ids=tuple(outcome.id for outcome in group),
        config=yaml.safe_dump(_without_unset(experiment), sort_keys=False, allow_unicode=True),
        command=shlex.join(["llem", "run", f"{experiment.get('name') or 'experiment'}.yaml"]),
        versions=tuple(versions.items()),
    )


def _without_unset(value: Any) -> Any:
    """Return ``value`` without ``None`` and empty sections: unset and left out mean the same."""
    if not isinstance(value, dict):
        return value
    kept = {key: _without_unset(inner) for key, inner in value.items() if inner is not None}
    return {key: inner for key, inner in kept.items() if inner != {}}
