"""How experiments differ: parameters by dotted path, requested and effective."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from llem.schema.fields import flat
from llem.schema.outcome import Outcome

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)

_LABELS = ("name",)
_HOW = ("measurement.", "runner.timeouts.")
"""How a run is measured; these parameters make no variant."""


def parameters(outcome: Outcome) -> dict[str, Any]:
    """Return every parameter of the experiment, by dotted path; the backend's too."""
    return {path: value for path, value in flat(outcome.experiment) if path not in _LABELS}


def settings(outcome: Outcome) -> dict[str, Any]:
    """Return the parameters that say what was run, without those of how it was measured."""
    found = parameters(outcome)
    return {path: value for path, value in found.items() if not path.startswith(_HOW)}


def settings_at(outcome: Outcome, paths: Iterable[str]) -> dict[str, Any]:
    """Return some settings by their paths; ``None`` for each that the outcome does not have."""
    found = settings(outcome)
    return {path: found.get(path) for path in paths}


def varying(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the settings that differ between ``outcomes``, in file order."""
    tables = [settings(outcome) for outcome in outcomes]
    paths = dict.fromkeys(path for table in tables for path in table)
    return [path for path in paths if len({canonical(table.get(path)) for table in tables}) > 1]


def differing(
    base: Sequence[Outcome], new: Sequence[Outcome]
) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """Yield each difference: name, values in ``base``, values in ``new``.

    First the parameters of the experiment, then effective values, then versions and variables of
    the environment.
    """
    kinds: tuple[Callable[[Outcome], dict[str, Any]], ...] = (parameters, _effective, _environment)
    for values_of in kinds:
        tables = [[values_of(outcome) for outcome in side] for side in (base, new)]
        for name in dict.fromkeys(name for side in tables for table in side for name in table):
            before, after = (_distinct([table.get(name) for table in side]) for side in tables)
            if before.keys() != after.keys():
                yield name, list(before.values()), list(after.values())


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Return the items of each key; keys and items keep their order."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def canonical(value: Any) -> str:
    """Return ``value`` as text that is equal exactly for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def value_text(value: Any) -> str:
    """Return ``value`` as readers see it."""
    return value if isinstance(value, str) else canonical(value)


def label(values: Mapping[str, Any]) -> str:
    """Return settings on one line, named by the last part of the path where that is unique."""
    names = [path.rpartition(".")[2] for path in values]
    return ", ".join(
        f"{name if names.count(name) == 1 else path}={value_text(value)}"
        for name, (path, value) in zip(names, values.items(), strict=True)
    )


def _effective(outcome: Outcome) -> dict[str, Any]:
    return {f"effective {name}": value for name, value in outcome.effective.items()}


def _environment(outcome: Outcome) -> dict[str, Any]:
    environment = outcome.environment
    return {
        "llem": environment.llem_version,
        "python": environment.python,
        "engine version": environment.engine_version,
        **{f"version of {name}": value for name, value in environment.versions.items()},
        **{f"variable {name}": value for name, value in environment.variables.items()},
    }


def _distinct(values: Sequence[Any]) -> dict[str, Any]:
    return {canonical(value): value for value in values}
