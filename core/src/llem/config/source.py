"""Read an experiment file safely, and remember where every part of it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llem.config.strict_yaml import KeyPath, YamlRefused, parse
from llem.errors import ConfigFileError, ConfigInvalid, Finding

MAX_BYTES = 4 * 2**20
"""Largest experiment file; prompts beyond it belong into a file of their own."""

_EXAMPLE = "An experiment is written like `model: {id: shape:tiny}`; every key is optional."


@dataclass(slots=True)
class Source:
    """Values on their way to an experiment, and where each of them comes from.

    Attributes:
        data: Nested mappings, lists and scalars.
        origins: By path: ``exp.yaml:3`` or the option that set it, in the order of the text.
        file: The file they were read from; ``None`` without a file.
        is_stream: Whether that is a pipe or another device, which can be read only once.
    """

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)
    file: Path | None = None
    is_stream: bool = False

    @property
    def base_dir(self) -> Path:
        """Folder that relative paths start from: the present one where the file is a stream."""
        return Path() if self.file is None or self.is_stream else self.file.parent

    def origin(self, path: KeyPath) -> str:
        """Return where ``path``, or the nearest part around it, comes from; empty if unknown."""
        return self.origins.get(self.nearest(path), "")

    def nearest(self, path: KeyPath) -> KeyPath:
        """Return the part that has an origin and is closest to ``path``; empty if none is."""
        while path and path not in self.origins:
            # A section made by options has no origin of its own, but its parts have.
            for known in self.origins:
                if known[: len(path)] == path:
                    return known
            path = path[:-1]
        return path

    def assign(self, path: KeyPath, value: Any, origin: str) -> None:
        """Set the value at ``path``, making sections on the way.

        Raises:
            ConfigInvalid: Something on the way is there and not a section.
        """
        section = self.data
        for depth, key in enumerate(path[:-1], start=1):
            if section.get(str(key)) is None:
                section[str(key)] = {}
            below = section[str(key)]
            if not isinstance(below, dict):
                name = ".".join(map(str, path[:depth]))
                place = f" ({where})" if (where := self.origin(path[:depth])) else ""
                finding = Finding(
                    code="override-refused",
                    message=f"{name}{place} is a value, not a section, so it has no {path[depth]}",
                    path=".".join(map(str, path)),
                    hint=f"Set the whole of it: --set {name}={{{path[depth]}: …}}.",
                    origin=origin,
                )
                raise ConfigInvalid([finding])
            section = below
        section[str(path[-1])] = value
        for stale in [known for known in self.origins if known[: len(path)] == path]:
            del self.origins[stale]
        self.origins[path] = origin


def read_file(path: Path) -> Source:
    """Read a YAML file, or a JSON file if its name ends in ``.json``.

    Raises:
        ConfigFileError: It cannot be read or parsed, or is not a mapping at the top.
    """
    text = _read_text(path)
    if path.suffix == ".json":
        # Valid JSON has tabs only between its tokens, where YAML wants spaces.
        text = _checked_json(text, path).replace("\t", " ")
    try:
        data, lines = parse(text)
    except YamlRefused as error:
        where = f"{path}:{error.line}" if error.line else f"{path}"
        raise ConfigFileError(f"{where}: {error.problem}") from None
    if data is None:
        raise ConfigFileError(f"{path} is empty", hint=_EXAMPLE)
    if not isinstance(data, dict):
        raise ConfigFileError(f"{path}: the top level must be keys with values", hint=_EXAMPLE)
    origins = {part: f"{path}:{line}" for part, line in lines.items()}
    return Source(data, origins, path, is_stream=not path.is_file())


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigFileError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise ConfigFileError(f"{path} is a folder, not an experiment file") from None
    except (OSError, ValueError) as error:
        raise ConfigFileError(f"{path} cannot be read: {_reason(error)}") from None
    if len(content) > MAX_BYTES:
        raise ConfigFileError(
            f"{path} is larger than {MAX_BYTES:,} bytes",
            hint="Prompts can stand in a file of their own: workload.source: file.",
        )
    if b"\0" in content:
        raise ConfigFileError(f"{path} is not UTF-8 text: it holds binary data")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigFileError(f"{path}:{line}: not UTF-8 text: {error.reason}") from None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _checked_json(text: str, path: Path) -> str:
    """Return ``text`` if it is JSON: YAML would take more, and complain in its own words."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigFileError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    except RecursionError:
        raise ConfigFileError(f"{path}: nested too deeply") from None
    return text
