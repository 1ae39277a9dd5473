"""The user's last resort overrides a field."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    from dataclasses import replace

    from llem.schema.call_plan import CallPlan
    from twins.parts import build_plan

    passed = dict(experiment.passthrough_kwargs)
    arguments = passed.pop("load", {})
    found = build_plan(experiment.model_copy(update={"passthrough_kwargs": passed}))
    (load,) = found.calls
    return CallPlan((replace(load, kwargs={**load.kwargs, **arguments}),), found.settings)
