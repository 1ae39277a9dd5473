"""The values that an engine documents as its defaults, by the config field that sets them."""

import ast
from collections.abc import Iterator
from typing import Any

from llem.api.parameter_audit import FoundParameter
from llem.schema.call_plan import import_dotted
from llem.testing.plugin_under_test import PluginUnderTest

EMPTY = {"list": [], "set": [], "dict": {}}
"""Defaults that a signature hides behind a factory, by the type of the parameter."""


def documented_defaults(plugin: str) -> list[tuple[str, Any]]:
    """Return path and default of each field that sets a parameter with a literal default.

    Args:
        plugin: The backend's name; its reference data tell the defaults.
    """
    subject = PluginUnderTest(plugin)
    found = import_dotted(subject.audit.reference)()
    defaults = {
        (field.path, repr(value)): value
        for field in subject.fields
        for place in field.places
        for surface in subject.audit.surfaces
        if place.place in surface.at
        for parameter in found.get(surface.name, ())
        if parameter.name == place.parameter
        for value in _default(parameter)
    }
    return [(path, value) for (path, _), value in defaults.items()]


def _default(parameter: FoundParameter) -> Iterator[Any]:
    """Yield the default of ``parameter``; nothing for none, and for an object of the engine."""
    kind = parameter.annotation_text.partition("[")[0]
    if parameter.default_repr == "_HAS_DEFAULT_FACTORY_CLASS" and kind in EMPTY:
        yield EMPTY[kind]
        return
    try:
        value = ast.literal_eval(parameter.default_repr)
    except (ValueError, SyntaxError):
        return
    if value is not None:
        yield value
