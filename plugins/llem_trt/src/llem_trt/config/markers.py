"""Short forms of the marker that says which parameter of TensorRT-LLM a field sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llem.schema.base import EngineArg, Param

PYTORCH: Mapping[str, Any] = {"trt.execution": (None, "pytorch")}
"""Needed by what the PyTorch execution backend alone has."""

TENSORRT: Mapping[str, Any] = {"trt.execution": "tensorrt"}
"""Needed by what the legacy TensorRT execution backend alone has."""

OLD: Mapping[str, Any] = {"trt.surface": "1.2"}
"""Goes with the examples of a field that only surface 1.2 has."""

NEW: Mapping[str, Any] = {"trt.surface": "1.3"}
"""Goes with the examples of a field that only surface 1.3 has."""


def llm(*names: str, **options: Any) -> Param:
    """Return the marker of a field that sets an argument of ``LLM()``, or one inside an object.

    Args:
        names: The argument, or several; dots reach into the object that stands there.
        options: Further attributes of :class:`~llem.schema.base.Param`.
    """
    return Param(maps_to=tuple(EngineArg("load", name) for name in names), **options)


def sampling(*names: str, **options: Any) -> Param:
    """Return the marker of a field that sets an argument of ``SamplingParams()``.

    Args:
        names: The argument, or several; dots reach into the object that stands there.
        options: Further attributes of :class:`~llem.schema.base.Param`.
    """
    return Param(maps_to=tuple(EngineArg("sampling", name) for name in names), **options)


def session(*names: str, **options: Any) -> Param:
    """Return the marker of a field that steers the session.

    Args:
        names: The plan's setting, or several.
        options: Further attributes of :class:`~llem.schema.base.Param`.
    """
    return Param(maps_to=tuple(EngineArg("settings", name) for name in names), **options)
