"""It does what it wants, whatever the plan says."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from dataclasses import replace

    from llem.schema.call_plan import CallPlan
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def open(self, plan):
            load = replace(plan.call("load"), target="twins.engine.Model")
            return super().open(CallPlan((load,), plan.settings))

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
