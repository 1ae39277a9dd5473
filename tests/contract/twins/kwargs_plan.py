"""Two of its calls have the same name."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    from llem.schema.call_plan import CallPlan
    from twins.parts import build_plan

    found = build_plan(experiment)
    return CallPlan((*found.calls, *found.calls), found.settings)
