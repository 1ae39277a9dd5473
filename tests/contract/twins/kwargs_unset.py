"""A field that nobody sets comes out as a default."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    from dataclasses import replace

    from llem.schema.call_plan import CallPlan
    from twins.parts import build_plan

    found = build_plan(experiment)
    (load,) = found.calls
    return CallPlan((replace(load, kwargs={"threads": 3, **load.kwargs}),), found.settings)
