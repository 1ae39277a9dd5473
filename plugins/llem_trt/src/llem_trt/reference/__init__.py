"""The published parameters of TensorRT-LLM's classes, for machines that cannot install it.

The data was read from the published source and never executed; ``tensorrt_llm.json`` names the
source of each surface.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from llem.api.parameter_audit import Found, FoundParameter
from llem_trt.versions import SURFACES, SurfaceName


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a class or function.

    Attributes:
        type: Types of its values, such as ``int | str``, or the name of a class.
        default: Its default as Python source; empty for a required parameter.
        choices: The only values it takes, or empty.
        status: ``beta``, ``prototype`` or ``deprecated``, if the publisher says so.
    """

    type: str
    default: str = ""
    choices: tuple[Any, ...] = ()
    status: str = ""


Classes = Mapping[str, Mapping[str, Parameter]]
"""Parameters by name, by class or function."""


@cache
def classes(surface: SurfaceName) -> Classes:
    """Return the parameters of ``surface``."""
    return {
        name: {
            parameter: _parameter(facts, surface)
            for parameter, facts in parameters.items()
            if facts.get("only", surface) == surface
        }
        for name, parameters in _data()["classes"].items()
        if any(facts.get("only", surface) == surface for facts in parameters.values())
    }


def read_from() -> dict[SurfaceName, str]:
    """Return the source that each surface was read from."""
    return {surface: _data()["surfaces"][surface]["read_from"] for surface in SURFACES}


def _parameter(facts: Mapping[str, Any], surface: SurfaceName) -> Parameter:
    # ``later`` holds what changed after the first surface.
    now = {**facts, **facts.get("later", {})} if surface != SURFACES[0] else facts
    return Parameter(
        type=now["type"],
        default=now.get("default", ""),
        choices=tuple(now.get("choices", ())),
        status=now.get("status", ""),
    )


@cache
def _data() -> dict[str, Any]:
    text = files(__name__).joinpath("tensorrt_llm.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def found() -> Found:
    """Return the parameters of all surfaces together, for ``llem audit``."""
    every: dict[str, dict[str, FoundParameter]] = {}
    for surface in SURFACES:
        for name, parameters in classes(surface).items():
            for parameter, facts in parameters.items():
                every.setdefault(name, {})[parameter] = FoundParameter(
                    parameter, facts.default, facts.type
                )
    return {name: tuple(parameters.values()) for name, parameters in every.items()}
