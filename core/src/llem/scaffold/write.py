"""Write a plugin's package from the templates beside this module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from llem import __version__
from llem.api.errors import ConfigError, StorageError
from llem.scaffold.identity import Identity

_SUFFIX = ".template"
_CI = Path(".github", "workflows", "ci.yml")


def write_package(identity: Identity, parent: Path) -> Path:
    """Write the package into a new folder of ``parent`` and return that folder.

    Raises:
        ConfigError: There is something of that name already; it is left as it is.
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
    templates = _templates(files("llem.scaffold") / "template", Path())
    written = {_place(path, identity): Template(text).substitute(names) for path, text in templates}
    source = Path("src", identity.package)
    return written | {
        source / "__init__.py": f'"""{prefix} backend for llem."""\n',
        source / "py.typed": "",
    }


def _templates(folder: Traversable, path: Path) -> Iterator[tuple[Path, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield path / entry.name.removesuffix(_SUFFIX), entry.read_text(encoding="utf-8")


def _place(path: Path, identity: Identity) -> Path:
    """Return where a file goes: code into the package's folder, the workflow where GitHub looks."""
    if path.parts[0] == "src":
        return Path("src", identity.package, *path.parts[1:])
    return _CI if path.name == _CI.name else path
