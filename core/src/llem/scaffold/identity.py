"""What a new plugin, its distribution and its classes are called."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution

from llem.api.config import Experiment
from llem.api.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of a plugin, all made of one.

    Attributes:
        name: Its name in a config.
    """

    name: str

    @property
    def distribution(self) -> str:
        """What is installed."""
        return f"llem-{self.name.replace('_', '-')}"

    @property
    def package(self) -> str:
        """What is imported."""
        return f"llem_{self.name}"

    @property
    def class_prefix(self) -> str:
        """How its classes' names begin."""
        return "".join(word.capitalize() for word in self.name.split("_"))


def identify(name: str, taken: Collection[str]) -> Identity:
    """Return the names of a new plugin called ``name``.

    Args:
        name: The name asked for.
        taken: Names of the installed plugins.

    Raises:
        ConfigError: No plugin can be called so, or one is.
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
    if _is_installed(identity.distribution):
        raise ConfigError(
            f"a plugin called {name!r} would be the distribution {identity.distribution}, "
            "which is installed already",
            hint="Choose another name.",
        )
    return identity


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
