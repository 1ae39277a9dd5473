"""Its plan holds an object instead of its name."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    from llem.api.plan import CallPlan
    from twins.parts import build_plan

    found = build_plan(experiment)
    if experiment.twin.batch_size is None:
        return found
    return CallPlan(found.calls, {"batch_size": {experiment.twin.batch_size}})
