"""It leaves a parameter out without a reason."""

from dataclasses import replace

from twins.healthy import *


@hookimpl
def llem_parameter_audit():
    from twins.parts import AUDIT

    return replace(AUDIT, surfaces=(replace(AUDIT.surfaces[0], excluded={"debug": "no"}),))
