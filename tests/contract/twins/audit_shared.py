"""Its table names a field that does not exist."""

from dataclasses import replace

from twins.healthy import *


@hookimpl
def llem_parameter_audit():
    from twins.parts import AUDIT, SHARED

    return replace(AUDIT, shared={**SHARED, ("load", "dtype"): "model.data_type"})
