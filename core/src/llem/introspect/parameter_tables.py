"""Parameters and rules as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from llem.introspect.config_parameters import Parameter
from llem.introspect.constraints import ValidationRule
from llem.tables import Table


def parameter_listing(parameters: Sequence[Parameter], *, plain: bool = False) -> Table:
    """Return a row for each parameter; conditions stand with the description.

    Args:
        parameters: The parameters.
        plain: Whether values are written without Markdown's backticks.
    """
    return Table.of_texts(
        ("parameter", "type", "unit", "default", "sets", "what it is"),
        [
            [text.replace("`", "") if plain else text for text in _row(parameter)]
            for parameter in parameters
        ],
    )


def rule_listing(rules: Sequence[ValidationRule]) -> Table:
    """Return a row for each rule."""
    return Table.of_texts(
        ("rule", "parameters", "reason", "hint"),
        [(_rule_name(rule), ", ".join(rule.parameters), rule.reason, rule.hint) for rule in rules],
    )


def _rule_name(one: ValidationRule) -> str:
    return one.name if one.severity == "error" else f"{one.name} (only remarked on)"


def _row(one: Parameter) -> tuple[str, ...]:
    default = "required" if one.required else json.dumps(one.default, ensure_ascii=False)
    return (
        one.path,
        one.kind,
        one.unit,
        default,
        "; ".join(_targets(one)),
        " ".join((one.description, *conditions(one))),
    )


def _targets(one: Parameter) -> Iterator[str]:
    for backend, names in one.maps_to.items():
        listed = ", ".join(names)
        # A backend's own parameter cannot go anywhere else.
        yield listed if one.backend else f"{backend}: {listed}"


def conditions(one: Parameter) -> Iterator[str]:
    """Yield a sentence for each condition under which the parameter acts, and its examples."""
    if one.requires:
        requires = ", ".join(f"{other}: {wanted}" for other, wanted in one.requires.items())
        yield f"Needs {requires}."
    if one.conflicts_with:
        yield f"Not with {', '.join(one.conflicts_with)}."
    if one.ignored_when:
        yield f"Skipped when {one.ignored_when}."
    if one.min_compute_capability:
        yield f"Needs compute capability {', '.join(_capabilities(one))}."
    if one.examples:
        yield f"Such as {', '.join(map(_value, one.examples))}."


def _capabilities(one: Parameter) -> Iterator[str]:
    for value, (major, minor) in one.min_compute_capability.items():
        yield f"{major}.{minor}" if value == "*" else f"{major}.{minor} for {value}"


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
