"""It forgets a parameter of its reference data."""

from dataclasses import replace

from twins.engine import FoundParameter, surface
from twins.healthy import *


def newer():
    (parameters,) = surface().values()
    return {"twins.engine.Model": [*parameters, FoundParameter("speed")]}


@hookimpl
def llem_parameter_audit():
    from twins.parts import AUDIT

    return replace(AUDIT, reference=f"{__name__}.newer")
