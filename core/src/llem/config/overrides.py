"""``--set a.b=c`` and other flags, laid over a file."""

from __future__ import annotations

from typing import Any, NoReturn

import yaml

from llem.api.errors import ConfigFileError, ConfigInvalid
from llem.api.finding import Finding
from llem.config.source import KeyPath, Source, parse_scalar


def apply_override(source: Source, override: str) -> None:
    """Lay ``a.b=c`` over ``source``; the value is read as YAML.

    Raises:
        ConfigInvalid: It is not of that form, or goes into something that is not a section.
    """
    origin = f"--set {override}"
    path_text, equals, value_text = override.partition("=")
    keys = [key.strip() for key in path_text.split(".")]
    if not equals or not all(keys):
        _refuse(origin, "not of the form path.to.key=value")
    try:
        value = parse_scalar(value_text)
    except (yaml.YAMLError, ConfigFileError) as error:
        _refuse(origin, f"the value is not YAML: {str(error).splitlines()[0]}")
    assign(source, tuple(keys), value, origin=origin)


def assign(source: Source, path: KeyPath, value: Any, *, origin: str) -> None:
    """Set the value at ``path``, making sections on the way.

    Raises:
        ConfigInvalid: Something on the way is there and not a section.
    """
    section = source.data
    for depth, key in enumerate(path[:-1], start=1):
        below = section.setdefault(str(key), {})
        if below is None:
            below = section[str(key)] = {}
        if not isinstance(below, dict):
            where = ".".join(map(str, path[:depth]))
            _refuse(origin, f"{where} is {below!r}, not a section")
        section = below
    section[str(path[-1])] = value
    for old in [known for known in source.origins if known[: len(path)] == path]:
        del source.origins[old]
    source.origins[path] = origin


def _refuse(origin: str, problem: str) -> NoReturn:
    raise ConfigInvalid([Finding("override-refused", problem, origin=origin)])
