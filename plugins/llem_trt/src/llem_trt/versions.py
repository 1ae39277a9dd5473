"""The parameters of TensorRT-LLM depend on its version; llem knows two *surfaces*."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

SurfaceName = Literal["1.2", "1.3"]

SURFACES: tuple[SurfaceName, ...] = ("1.2", "1.3")
"""The known surfaces, oldest first. 1.3 begins with the removal of the TensorRT execution."""

NEWEST: SurfaceName = SURFACES[-1]
"""The surface to plan for where TensorRT-LLM is not installed."""


@dataclass(frozen=True, slots=True)
class Only:
    """Marks a field, or some of its values, that only one surface has; use in ``Annotated``.

    Attributes:
        surface: The surface.
        values: The values that only it has; empty for the field itself.
    """

    surface: SurfaceName
    values: tuple[Any, ...] = ()


def surface_of(engine_version: str) -> SurfaceName:
    """Return the surface of ``engine_version``; an unknown later version has the newest."""
    release = tuple(int(part) for part in engine_version.split(".")[:2])
    return "1.2" if release < (1, 3) else NEWEST


@cache
def installed() -> str | None:
    """Return the version of TensorRT-LLM in this environment, from package metadata."""
    try:
        return version("tensorrt-llm")
    except PackageNotFoundError:
        return None


def chosen(configured: SurfaceName | None) -> SurfaceName:
    """Return the surface to plan for: the configured, the installed or the newest one."""
    if configured is not None:
        return configured
    found = installed()
    return NEWEST if found is None else surface_of(found)
