"""Faults of the declaration of the engine's parameters."""

from dataclasses import replace

from mutants.engine import FoundParameter, surface
from mutants.mutation import HOOKS, audit
from mutants.parts import AUDIT, SHARED

__all__ = ["HOOKS"]


def newer():
    """Return the parameters of an engine that has a further parameter."""
    (parameters,) = surface().values()
    return {"mutants.engine.Model": [*parameters, FoundParameter("speed")]}


@audit
def audit_surfaces():
    """It leaves a parameter out without a reason."""
    return replace(AUDIT, surfaces=(replace(AUDIT.surfaces[0], excluded={"debug": "no"}),))


@audit
def audit_shared():
    """Its table names a field that does not exist."""
    return replace(AUDIT, shared={**SHARED, ("load", "dtype"): "model.data_type"})


@audit
def audit_reference():
    """It forgets a parameter of its reference data."""
    return replace(AUDIT, reference="mutants.audit.newer")


@audit
def audit_engine():
    """It forgets a parameter of the installed engine."""
    return replace(AUDIT, introspect="mutants.audit.newer")
