"""The plugin contract. A backend needs the names offered here, and a first one about half of them.

::

    from llem.api import BackendConfig, BackendInfo, PlanExecutor, Session, build_plan, hookimpl

Names are loaded when they are asked for, so that importing this package costs nothing. Everything
else has a module of its own, and is optional:

====================  =====  ==================================================================
module                level  holds
====================  =====  ==================================================================
``capability``        L1     claims about what a backend can do, and what a machine must have
``parameter_audit``   L1     how a backend accounts for its engine's parameters
``meters``            L1     sources of energy and power readings
``importers``         L1     reading the results of other tools
``architecture``      L1     a decoder's dimensions, from its ``config.json``
``hookspecs``         L1     every hook: when it is called, and what it returns
``child_processes``   L3     memory of all the processes an engine is made of
====================  =====  ==================================================================

L1 needs the standard library and pluggy, L2 adds pydantic, L3 may be anything. Of the names offered
here, those that describe a config (``BackendConfig``, ``Section``, ``Param``, ``EngineArg``,
``IS_SET``, ``Rule``, ``Experiment``) and those that map it (``build_plan``, ``section_arguments``)
are L2, and the others L1.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llem.api.capability import BackendInfo, EngineRequirement
    from llem.api.execution import PlanExecutor
    from llem.api.hookspecs import hookimpl
    from llem.api.mapping import section_arguments
    from llem.api.plan_builder import build_plan
    from llem.api.session import (
        ModelInfo,
        Observation,
        OpenReport,
        Request,
        RequestResult,
        RunResult,
        Session,
        TokenizerExport,
    )
    from llem.errors import ConfigError, Finding
    from llem.schema.base import IS_SET, EngineArg, Param, Section
    from llem.schema.call_plan import Call, CallPlan, Construct, Symbol, drop_none
    from llem.schema.experiment import BackendConfig, Experiment, Rule

API_MAJOR = 1
"""Major version of the contract; the entry-point group carries it."""

ENTRY_POINT_GROUP = f"llem.plugins.v{API_MAJOR}"
"""Entry-point group in which plugins of this contract register."""

_HOMES = {
    "llem.api.capability": ("BackendInfo", "EngineRequirement"),
    "llem.api.execution": ("PlanExecutor",),
    "llem.api.hookspecs": ("hookimpl",),
    "llem.api.mapping": ("section_arguments",),
    "llem.api.plan_builder": ("build_plan",),
    "llem.api.session": (
        "ModelInfo", "Observation", "OpenReport", "Request", "RequestResult", "RunResult",
        "Session", "TokenizerExport",
    ),
    "llem.errors": ("ConfigError", "Finding"),
    "llem.schema.base": ("IS_SET", "EngineArg", "Param", "Section"),
    "llem.schema.call_plan": ("Call", "CallPlan", "Construct", "Symbol", "drop_none"),
    "llem.schema.experiment": ("BackendConfig", "Experiment", "Rule"),
}  # fmt: skip
"""Module that defines each name."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "IS_SET",
    "BackendConfig",
    "BackendInfo",
    "Call",
    "CallPlan",
    "ConfigError",
    "Construct",
    "EngineArg",
    "EngineRequirement",
    "Experiment",
    "Finding",
    "ModelInfo",
    "Observation",
    "OpenReport",
    "Param",
    "PlanExecutor",
    "Request",
    "RequestResult",
    "Rule",
    "RunResult",
    "Section",
    "Session",
    "Symbol",
    "TokenizerExport",
    "build_plan",
    "drop_none",
    "hookimpl",
    "section_arguments",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Load one of the names offered."""
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
        return value
