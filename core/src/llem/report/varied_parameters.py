"""What tells experiments apart: parameters by dotted path, asked for and in force."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llem.schema.outcome import Outcome

_LABELS = ("name",)
_HOW = ("measurement.", "runner.timeouts.")
"""How something was measured, not what; it makes no variant."""


def parameters(outcome: Outcome) -> dict[str, Any]:
    """Return every parameter that was asked for, by dotted path; the backend's too."""
    return {path: value for path, value in _flat(outcome.experiment) if path not in _LABELS}


def settings(outcome: Outcome) -> dict[str, Any]:
    """Return the parameters that say what was run, without how it was measured."""
    found = parameters(outcome)
    return {path: value for path, value in found.items() if not path.startswith(_HOW)}


def varying(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the settings that do not have the same value in all ``outcomes``, in file order."""
    seen: dict[str, set[str]] = {}
    tables = [settings(outcome) for outcome in outcomes]
    paths = dict.fromkeys(path for table in tables for path in table)
    for path in paths:
        seen[path] = {canonical(table.get(path)) for table in tables}
    return [path for path, values in seen.items() if len(values) > 1]


def differing(
    base: Sequence[Outcome], new: Sequence[Outcome]
) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """Yield what differs: name, values in ``base``, values in ``new``.

    First the parameters asked for, then the values that were really in force, then versions
    and variables of the environment.
    """
    for tables in (
        ([parameters(one) for one in base], [parameters(one) for one in new]),
        (
            [{f"effective {k}": v for k, v in one.effective.items()} for one in base],
            [{f"effective {k}": v for k, v in one.effective.items()} for one in new],
        ),
        ([_surroundings(one) for one in base], [_surroundings(one) for one in new]),
    ):
        names = dict.fromkeys(name for side in tables for table in side for name in table)
        for name in names:
            ours, theirs = (_distinct([table.get(name) for table in side]) for side in tables)
            if {canonical(one) for one in ours} != {canonical(one) for one in theirs}:
                yield name, ours, theirs


def canonical(value: Any) -> str:
    """Return ``value`` as text that is equal exactly for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def label(values: Mapping[str, Any]) -> str:
    """Return settings on one line; the last part of each path, where that says enough."""
    names = [path.rpartition(".")[2] for path in values]
    shown = [
        name if names.count(name) == 1 else path for path, name in zip(values, names, strict=True)
    ]
    return ", ".join(
        f"{name}={value if isinstance(value, str) else canonical(value)}"
        for name, value in zip(shown, values.values(), strict=True)
    )


def _surroundings(outcome: Outcome) -> dict[str, Any]:
    environment = outcome.environment
    return {
        "llem": environment.llem_version,
        "python": environment.python,
        "engine version": environment.engine_version,
        **{f"version of {name}": value for name, value in environment.versions.items()},
        **{f"variable {name}": value for name, value in environment.variables.items()},
    }


def _distinct(values: Sequence[Any]) -> list[Any]:
    return list({canonical(value): value for value in values}.values())


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
