"""It drops a field that all backends share."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    from dataclasses import replace

    from llem.schema.call_plan import CallPlan
    from twins.parts import build_plan

    found = build_plan(experiment)
    (load,) = found.calls
    kept = {name: value for name, value in load.kwargs.items() if name != "weights"}
    return CallPlan((replace(load, kwargs=kept),), found.settings)
