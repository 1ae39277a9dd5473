"""Planning imports a library of the engine's."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    import markupsafe

    from llem.schema.call_plan import CallPlan
    from twins.parts import build_plan

    found = build_plan(experiment)
    return CallPlan(found.calls, {**found.settings, "safe": str(markupsafe.escape("&"))})
