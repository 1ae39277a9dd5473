"""Questions about the installed plugins, without importing an engine.

Each question is a function of a registry. It returns the contract's own dataclasses, or records
made of them; functions beside it make a table or JSON data of the answer::

    from llem import introspect
    from llem.registry import Registry

    for parameter in introspect.parameters(Registry.discover(), "simulated"):
        print(parameter.path, parameter.unit, parameter.maps_to)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llem.introspect.capability_matrix import capabilities
    from llem.introspect.config_parameters import parameters
    from llem.introspect.constraints import (
        compute_capability_needs,
        mutual_exclusions,
        skip_conditions,
        validation_rules,
    )
    from llem.introspect.engine_audit import audit_report
    from llem.introspect.json_schema import outcome_schema, schema

__all__ = [
    "audit_report",
    "capabilities",
    "compute_capability_needs",
    "mutual_exclusions",
    "outcome_schema",
    "parameters",
    "schema",
    "skip_conditions",
    "validation_rules",
]

_MODULES = {
    "audit_report": "engine_audit",
    "capabilities": "capability_matrix",
    "compute_capability_needs": "constraints",
    "mutual_exclusions": "constraints",
    "outcome_schema": "json_schema",
    "parameters": "config_parameters",
    "schema": "json_schema",
    "skip_conditions": "constraints",
    "validation_rules": "constraints",
}


def __getattr__(name: str) -> Any:
    """Import a question when it is asked: listing capabilities must not pay for a schema."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
