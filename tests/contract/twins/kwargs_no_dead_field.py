"""A field reaches no call."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from typing import Annotated

    from twins.parts import TwinConfig, setting

    class Faulty(TwinConfig):
        ghost: Annotated[bool | None, setting("ghost")] = None
        """Whether it haunts."""

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()


@hookimpl
def llem_build_kwargs(experiment):
    from llem.schema.call_plan import CallPlan
    from twins.parts import build_plan

    found = build_plan(experiment)
    settings = {name: value for name, value in found.settings.items() if name != "ghost"}
    return CallPlan(found.calls, settings)
