"""Which parameters TensorRT-LLM has depends on its version; two *surfaces* are known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

SurfaceName = Literal["1.2", "1.3"]

SURFACES: tuple[SurfaceName, ...] = ("1.2", "1.3")
"""The known surfaces, oldest first. 1.3 is what follows on the removal of the TensorRT backend."""

NEWEST: SurfaceName = SURFACES[-1]
"""The one to plan for where no TensorRT-LLM is installed."""


@dataclass(frozen=True, slots=True)
class Only:
    """Marks a field, or some of its values, that one surface alone has; use in ``Annotated``.

    Attributes:
        surface: The surface.
        values: The values that only it has; empty means the field itself.
    """

    surface: SurfaceName
    values: tuple[Any, ...] = ()


def surface_of(engine_version: str) -> SurfaceName:
    """Return the surface that ``engine_version`` has; an unknown later one counts as the newest."""
    release = tuple(int(part) for part in engine_version.split(".")[:2])
    return "1.2" if release < (1, 3) else NEWEST


@cache
def installed() -> str | None:
    """Return the version of the TensorRT-LLM of this environment, from its metadata alone."""
    try:
        return version("tensorrt-llm")
    except PackageNotFoundError:
        return None


def chosen(asked: SurfaceName | None) -> SurfaceName:
    """Return the surface to plan for: the one asked for, the installed one's, or the newest.

    Args:
        asked: The one that the config names.
    """
    if asked is not None:
        return asked
    found = installed()
    return NEWEST if found is None else surface_of(found)
