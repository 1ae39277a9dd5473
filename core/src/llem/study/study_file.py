"""Read a study file and the files it extends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llem.config.source import Source, read_file
from llem.config.strict_yaml import KeyPath
from llem.errors import ConfigFileError

STUDY_KEYS = ("extends", "study", "backends", "sweep", "zip", "variants", "experiments")
"""Keys that an experiment does not have; one of them makes a file a study."""

_KINDS = ("source", "distribution")
"""Keys that say of which kind a section is: another kind replaces all of it."""


def is_study(source: Source) -> bool:
    """Whether the file describes a study, rather than one experiment."""
    return not source.data.keys().isdisjoint(STUDY_KEYS)


def read_study(path: Path) -> Source:
    """Read a file with everything it extends; what the file itself says wins, key by key.

    Raises:
        ConfigFileError: A file cannot be read, or extends itself.
    """
    return _read(path, ())


def merged(below: Any, above: Any) -> Any:
    """Return ``above`` laid over ``below``: sections key by key, everything else replaced."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    for kind in _KINDS:
        if kind in above and above[kind] != below.get(kind, above[kind]):
            return above
    return {
        **below,
        **{key: merged(below.get(key), value) for key, value in above.items()},
    }


def _read(path: Path, readers: tuple[Path, ...]) -> Source:
    resolved = path.resolve()
    if resolved in readers:
        chain = " extends ".join(one.name for one in (*readers, resolved))
        raise ConfigFileError(f"{path} extends itself: {chain}")
    source = read_file(path)
    if "extends" not in source.data:
        return source
    base_name = source.data.pop("extends")
    if not isinstance(base_name, str) or not base_name:
        where = source.origin(("extends",))
        raise ConfigFileError(f"{where}: extends must be the name of a file")
    base = _read(path.parent / base_name, (*readers, resolved))
    # What is replaced as a whole keeps no origin below it.
    origins = {
        part: origin for part, origin in base.origins.items() if not _is_replaced(part, source)
    }
    return Source(merged(base.data, source.data), {**origins, **source.origins})


def _is_replaced(part: KeyPath, by: Source) -> bool:
    data: Any = by.data
    for key in part:
        if not isinstance(data, Mapping):
            return True
        if key not in data:
            return False
        data = data[key]
    return False
