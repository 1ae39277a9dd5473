"""Its plan holds an object instead of its name."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    from dataclasses import replace

    from llem.schema.call_plan import CallPlan
    from twins.parts import build_plan

    found = build_plan(experiment)
    if experiment.twin.threads is None:
        return found
    (load,) = found.calls
    threads = {experiment.twin.threads}
    return CallPlan((replace(load, kwargs={**load.kwargs, "threads": threads}),), found.settings)
