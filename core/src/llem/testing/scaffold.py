"""Write a plugin's package from the templates beside this module."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from llem.errors import ConfigError, StorageError
from llem.schema.experiment import Experiment
from llem.version import __version__, installed_versions


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of a plugin, all made of its ``name`` in a config."""

    name: str

    @property
    def distribution(self) -> str:
        """Name of the distribution."""
        return f"llem-{self.name.replace('_', '-')}"

    @property
    def package(self) -> str:
        """Name of the module."""
        return f"llem_{self.name}"

    @property
    def class_prefix(self) -> str:
        """Beginning of the names of its classes."""
        return "".join(word.capitalize() for word in self.name.split("_"))


def identify(name: str, taken: Collection[str]) -> Identity:
    """Return the names of a new plugin called ``name``.

    Raises:
        ConfigError: The name is unfit, or among the names that are ``taken``.
    """
    # It becomes a key of every experiment, a Python package and a distribution.
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise ConfigError(
            f"a plugin cannot be called {name!r}",
            hint="Use lower-case letters, digits and single underscores, beginning with a letter.",
        )
    if name in Experiment.model_fields:
        raise ConfigError(
            f"a plugin cannot be called {name!r}: every experiment has a key of that name",
            hint="Choose another name, such as the engine's.",
        )
    identity = Identity(name)
    if name in taken:
        raise ConfigError(
            f"a plugin called {name!r} is installed already",
            hint="Choose another name; `llem plugins` lists those that are taken.",
        )
    if installed_versions([identity.distribution]):
        raise ConfigError(
            f"a plugin called {name!r} would be the distribution {identity.distribution}, "
            "which is installed already",
            hint="Choose another name.",
        )
    return identity


_SUFFIX = ".template"
_CI = Path(".github", "workflows", "ci.yml")


def write_package(identity: Identity, parent: Path) -> Path:
    """Write the package into a new folder of ``parent`` and return that folder.

    Raises:
        ConfigError: The folder exists already; nothing is overwritten.
        StorageError: It cannot be written.
    """
    folder = parent / identity.distribution
    try:
        folder.mkdir(parents=True)
        for path, text in package_files(identity).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise ConfigError(
            f"{folder} exists already",
            hint="Nothing is overwritten: choose another name or folder, or remove it.",
        ) from error
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error}") from error
    return folder


def package_files(identity: Identity) -> Mapping[Path, str]:
    """Return the text of each file of the package, by its path there."""
    prefix = identity.class_prefix
    names = {
        "name": identity.name,
        "distribution": identity.distribution,
        "package": identity.package,
        "Name": prefix,
        "Class": prefix,
        "config": f"{prefix}Config",
        "session": f"{prefix}Session",
        "version": __version__,
    }
    templates = _templates(files("llem.testing") / "template", Path())
    return {_place(path, identity): Template(text).substitute(names) for path, text in templates}


def _templates(folder: Traversable, path: Path) -> Iterator[tuple[Path, str]]:
    for entry in sorted(folder.iterdir(), key=lambda file: file.name):
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield path / entry.name.removesuffix(_SUFFIX), entry.read_text(encoding="utf-8")


def _place(path: Path, identity: Identity) -> Path:
    """Return the path of a file: the module by its name, the workflow in GitHub's folder."""
    if path.parts[0] == "src":
        return Path("src", f"{identity.package}.py")
    return _CI if path.name == _CI.name else path
