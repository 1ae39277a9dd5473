"""Its plan has the order of a set."""

from twins.healthy import *

NAMES = {"north", "north-east", "east", "south-east", "south", "south-west", "west"}


@hookimpl
def llem_build_kwargs(experiment):
    from llem.schema.call_plan import CallPlan
    from twins.parts import build_plan

    found = build_plan(experiment)
    return CallPlan(found.calls, {**found.settings, "order": list(NAMES)})
