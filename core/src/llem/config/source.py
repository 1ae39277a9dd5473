"""Read an experiment file safely, and remember on which line everything stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from llem.api.errors import ConfigFileError

MAX_BYTES = 4 * 2**20
MAX_NODES = 200_000
MAX_DEPTH = 64

KeyPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """The safe loader, reading ``1e-3`` as the number it is in YAML 1.2."""


_Loader.yaml_implicit_resolvers = {
    first: list(resolvers) for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


@dataclass(slots=True)
class Source:
    """The content of a file and where each part of it stands.

    Attributes:
        data: Nested mappings, lists and scalars.
        origins: By path of keys and indices, such as ``("model", "id")``: ``exp.yaml:3``.
    """

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)

    def origin(self, path: KeyPath) -> str:
        """Return where ``path``, or the nearest part around it, stands; empty if unknown."""
        while path:
            if path in self.origins:
                return self.origins[path]
            path = path[:-1]
        return self.origins.get((), "")


def read_file(path: Path) -> Source:
    """Read a YAML or JSON file.

    Raises:
        ConfigFileError: It cannot be read, is not YAML, or is not a mapping at the top.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigFileError(f"{path} is larger than {MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigFileError(f"{path} does not exist") from None
    except UnicodeDecodeError as error:
        raise ConfigFileError(f"{path} is not UTF-8 text: {error.reason}") from error
    except OSError as error:
        raise ConfigFileError(f"cannot read {path}: {error.strerror}") from error
    return parse(text, name=str(path))


def parse(text: str, name: str) -> Source:
    """Parse the text of a file called ``name``.

    Raises:
        ConfigFileError: See :func:`read_file`.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise ConfigFileError(
                f"{name} is empty", hint="`llem run` without a file measures the embedded default."
            )
        reader = _Reader(loader, name)
        data = reader.value(root, ())
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigFileError(f"{name}{line}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigFileError(f"{name}: not valid YAML: {error}") from error
    except RecursionError:
        raise ConfigFileError(f"{name}: nested too deeply") from None
    finally:
        loader.dispose()
    if not isinstance(data, dict):
        raise ConfigFileError(
            f"{name} holds no mapping at its top level",
            hint="An experiment looks like `backend: NAME` with further keys below.",
        )
    return Source(data, reader.origins)


def parse_scalar(text: str) -> Any:
    """Return the value that ``text`` is as YAML, as in a file.

    Raises:
        yaml.YAMLError: It is not YAML.
        ConfigFileError: It is YAML that an experiment may not contain.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _Reader(loader, "value").value(node, ())
    finally:
        loader.dispose()


class _Reader:
    """Turns nodes into data, noting lines, refusing what no experiment needs."""

    def __init__(self, loader: _Loader, name: str) -> None:
        self._loader = loader
        self._name = name
        self._nodes = 0
        self.origins: dict[KeyPath, str] = {}

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """Return the data of ``node``, which stands at ``path``."""
        self._nodes += 1
        # Aliases of aliases can stand for more than fits into memory.
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            self._refuse(node, "too much is nested or repeated here")
        self.origins.setdefault(path, self._where(node))
        if not node.tag.startswith("tag:yaml.org,2002:"):
            self._refuse(node, f"the tag {node.tag} is not allowed")
        match node:
            case yaml.MappingNode():
                return self._mapping(node, path)
            case yaml.SequenceNode():
                return [self.value(item, (*path, at)) for at, item in enumerate(node.value)]
            case _:
                try:
                    return self._loader.construct_object(node)
                except ValueError as error:
                    self._refuse(node, str(error))

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        self._loader.flatten_mapping(node)
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self._refuse(key_node, "a key must be a word")
            if key in data:
                self._refuse(key_node, f"the key {key!r} stands here twice")
            self.origins[(*path, key)] = self._where(key_node)
            data[key] = self.value(value_node, (*path, key))
        return data

    def _where(self, node: yaml.Node) -> str:
        return f"{self._name}:{node.start_mark.line + 1}"

    def _refuse(self, node: yaml.Node, problem: str) -> NoReturn:
        raise ConfigFileError(f"{self._where(node)}: {problem}")
