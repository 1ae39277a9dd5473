"""The parameters of TensorRT-LLM depend on its version; llem knows two *surfaces*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

SurfaceName = Literal["1.2", "1.3"]

SURFACES: tuple[SurfaceName, ...] = ("1.2", "1.3")
"""The known surfaces, oldest first. 1.3 begins with the removal of the TensorRT execution."""

NEWEST: SurfaceName = SURFACES[-1]
"""The surface to plan for where TensorRT-LLM is not installed."""


OLD: Mapping[str, Any] = {"trt.surface": "1.2"}
"""Context of examples of a field that only surface 1.2 has."""

NEW: Mapping[str, Any] = {"trt.surface": "1.3"}
"""Context of examples of a field that only surface 1.3 has."""

PYTORCH: Mapping[str, Any] = {"trt.execution": (None, "pytorch")}
"""Requirement of a field that only the PyTorch execution has."""

TENSORRT: Mapping[str, Any] = {"trt.execution": "tensorrt"}
"""Requirement of a field that only the legacy TensorRT execution has."""


@dataclass(frozen=True, slots=True)
class Only:
    """Marks a field, or some of its values, that only one surface has; use in ``Annotated``.

    Attributes:
        surface: The surface.
        values: The values that only it has; empty for the field itself.
    """

    surface: SurfaceName
    values: tuple[Any, ...] = ()

    def concerns(self, value: Any) -> bool:
        """Whether ``value`` of the field, or an item of it, is one that only the surface has."""
        items = value if isinstance(value, tuple) else (value,)
        return not self.values or any(item in self.values for item in items)


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


def surface_for(configured: SurfaceName | None) -> SurfaceName:
    """Return the surface to plan for: the configured, the installed or the newest one."""
    if configured is not None:
        return configured
    found = installed()
    return NEWEST if found is None else surface_of(found)
